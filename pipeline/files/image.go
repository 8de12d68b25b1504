package files

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"scrim/pipeline/decode"
	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
)

// image redacts the image f.In into out.
func (r *Redactor) image(ctx context.Context, f ipc.File, out *os.File) (ipc.FileEnd, error) {
	var write func(io.Writer, redact.Frame) error
	switch ext := strings.ToLower(filepath.Ext(f.Out)); ext {
	case ".jpg", ".jpeg":
		write = encode.JPEG
	case ".png":
		write = encode.PNG
	default:
		return ipc.FileEnd{}, fmt.Errorf("unsupported image extension %q: must be .jpg or .png", ext)
	}
	im, told, err := decode.Image(f.In, r.o.Rotate)
	if err != nil {
		return ipc.FileEnd{}, err
	}
	r.begin(told)
	if r.o.Begin != nil {
		if err := r.o.Begin(1); err != nil {
			return ipc.FileEnd{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return ipc.FileEnd{}, err
	}
	var all tally
	p, err := newImageRedaction(r.o, func(_ *picture, frame redact.Frame, t treatment) error {
		if err := write(out, frame); err != nil {
			return err
		}
		return r.note(&all, record(f.Name, 0, 0, frame, t), t)
	})
	if err != nil {
		return ipc.FileEnd{}, err
	}
	if err := p.add(im, 0, 0, 0, true, ""); err != nil {
		return ipc.FileEnd{}, err
	}
	if err := p.flush(); err != nil {
		return ipc.FileEnd{}, err
	}
	return all.end, out.Sync()
}
