package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/track"
	"scrim/redact/zone"
)

// MaxLookahead is the maximum look-ahead in pictures.
const MaxLookahead = track.MaxLookahead

// Options are a Redactor's settings.
type Options struct {
	// Detector finds faces, and Obscurer hides them. The Redactor uses them
	// exclusively; the caller closes the Detector.
	Detector redact.Detector
	Obscurer redact.Obscurer
	// Track are the tracker's settings; Lookahead is the look-ahead in videos, in
	// pictures.
	Track     track.Options
	Lookahead int
	// Zones are the zones of the camera that recorded the files.
	Zones []zone.Zone
	// Rotate is by how much pictures are turned after they were turned as the file says.
	Rotate geom.Rotation
	// SecondLook runs the detector again on every obscured picture, at its largest
	// size, and obscures what is still found.
	SecondLook bool
	// Cover, WhenBlind, Sight and Background are those of redact.Options. They are reset
	// at each file. ImageSight is the Sight of images; nil: they have the same.
	Cover      redact.Cover
	WhenBlind  redact.WhenBlind
	Sight      redact.Sight
	ImageSight redact.Sight
	Background redact.Background
	// KeepAudio copies the audio tracks of videos.
	KeepAudio bool
	// Begin, if not nil, is called with the approximate number of pictures of a file;
	// 0 is unknown. While a file is finished after its last picture, it is called
	// again every 10 seconds from another goroutine, as a heartbeat. Record, if not
	// nil, is called with the record of each picture, in order.
	Begin  func(frames int64) error
	Record func(ipc.FileFrame) error
}

// Redactor redacts files, one after the other. It is not safe for concurrent use.
type Redactor struct{ o Options }

// New returns a Redactor.
func New(o Options) (*Redactor, error) {
	if o.Detector == nil || o.Obscurer == nil {
		return nil, errors.New("redactor of files needs a detector and an obscurer")
	}
	if o.Lookahead < 0 || o.Lookahead > MaxLookahead {
		return nil, fmt.Errorf("look-ahead of %d pictures: choose 0 to %d", o.Lookahead, MaxLookahead)
	}
	if o.Sight != nil {
		o.Sight = roomySight{&patientSight{Sight: o.Sight}}
	}
	if o.ImageSight != nil {
		o.ImageSight = roomySight{&patientSight{Sight: o.ImageSight}}
	}
	// What these refuse they would refuse at each file.
	if _, err := newVideoRedaction(o, nil); err != nil {
		return nil, err
	}
	return &Redactor{o: o}, nil
}

// Redact redacts one file. The output is written to f.Temp and renamed to f.Out when
// it is complete. After any error, including the end of ctx, neither exists. An
// existing f.Out is replaced.
func (r *Redactor) Redact(ctx context.Context, f ipc.File) (ipc.FileEnd, error) {
	if filepath.Dir(f.Temp) != filepath.Dir(f.Out) || f.Temp == f.Out {
		return ipc.FileEnd{}, fmt.Errorf("temporary file %s must be in the folder of %s", f.Temp, f.Out)
	}
	end, err := r.write(ctx, f)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		stop := r.heartbeat(0)
		if err = os.Rename(f.Temp, f.Out); err == nil {
			syncFolder(filepath.Dir(f.Out))
		}
		stop()
		if err == nil {
			return end, nil
		}
	}
	if rerr := os.Remove(f.Temp); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
		err = fmt.Errorf("%w; an incomplete file is left: %w", err, rerr)
	}
	return ipc.FileEnd{}, err
}

func (r *Redactor) write(ctx context.Context, f ipc.File) (ipc.FileEnd, error) {
	// O_EXCL: an existing file is never written to, and no link is followed.
	temp, err := os.OpenFile(f.Temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666) //nolint:gosec // as any program's output; umask applies
	if err != nil {
		return ipc.FileEnd{}, err
	}
	switch f.Kind {
	case ipc.Image:
		end, err := r.image(ctx, f, temp)
		return end, errors.Join(err, temp.Close())
	case ipc.Video:
		if err := temp.Close(); err != nil {
			return ipc.FileEnd{}, err
		}
		return r.video(ctx, f)
	}
	return ipc.FileEnd{}, errors.Join(fmt.Errorf("unknown kind of file %q", f.Kind), temp.Close())
}

// begin tells the detector that a file begins; told is set if it says which way is up.
func (r *Redactor) begin(told bool) {
	if w, ok := r.o.Detector.(*ways); ok {
		w.begin(told)
	}
}

// syncFolder writes a new name to the disk if the file system supports it.
func syncFolder(path string) {
	if dir, err := os.Open(path); err == nil { //nolint:gosec // the folder of the output
		_ = dir.Sync()
		_ = dir.Close()
	}
}
