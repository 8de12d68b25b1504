package pipeline

import (
	"context"
	"fmt"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

// SlateWidth and SlateHeight are the size of slates until the size of the camera is
// known.
const (
	SlateWidth  = 1280
	SlateHeight = 720
)

// preparedTexts are the texts on prepared slates.
var preparedTexts = []struct {
	kind ipc.SlateKind
	text string
}{
	{ipc.SlateStarting, "starting"},
	{ipc.SlateHang, "redactor does not respond"},
	{ipc.SlateFailed, "redactor cannot work with its configuration"},
	{ipc.SlateOffline, "camera offline"},
}

// slateSize is the format of prepared slates: that of the output.
type slateSize struct {
	width, height int
	fullRange     bool
}

// PreparedSlates codes slates that each decode by themselves, and passes them to send.
// The worker, which has no encoder, shows them while this process is dead or hangs.
func PreparedSlates(camera string, width, height int, c ipc.EncodeConfig, send func(ipc.PreparedSlate, []byte) error) error {
	return codePreparedSlates(camera, slateSize{width, height, false}, c, newEncoder, send)
}

func codePreparedSlates(camera string, size slateSize, c ipc.EncodeConfig, open openEncoder, send func(ipc.PreparedSlate, []byte) error) error {
	slate, err := redact.NewSlate(size.width, size.height)
	if err != nil {
		return fmt.Errorf("prepared slate: %w", err)
	}
	enc, err := open(size.width, size.height, encode.Options{Bitrate: c.Bitrate, Preset: c.Preset, FullRange: size.fullRange})
	if err != nil {
		return fmt.Errorf("encoder of prepared slates: %w", err)
	}
	defer enc.Close()
	pts := int64(0)
	for _, s := range preparedTexts {
		frame := slate.Frame(s.text, camera)
		if err := sendSlateSnapshot(frame, s.kind, send); err != nil {
			return err
		}
		for part := range ipc.SlateParts {
			pts += transport.ClockRate / 4
			u, err := enc.Encode(frame, pts, true)
			if err != nil {
				return fmt.Errorf("encode prepared slate: %w", err)
			}
			head := ipc.PreparedSlate{Kind: s.kind, Part: part, Codec: enc.Codec(), Width: size.width, Height: size.height}
			if err := send(head, u.Data); err != nil {
				return fmt.Errorf("send prepared slate: %w", err)
			}
		}
	}
	return nil
}

// sendSlateSnapshot sends the slate as a snapshot as well.
func sendSlateSnapshot(frame redact.Frame, kind ipc.SlateKind, send func(ipc.PreparedSlate, []byte) error) error {
	snapshot, err := encode.NewSnapshot(frame)
	if err != nil {
		return fmt.Errorf("prepared slate: %w", err)
	}
	data, err := snapshot.JPEG(transport.MaxSnapshotBytes)
	if err != nil {
		return fmt.Errorf("prepared slate: %w", err)
	}
	width, height := snapshot.Size()
	if err := send(ipc.PreparedSlate{Kind: kind, Snapshot: true, Codec: "jpeg", Width: width, Height: height}, data); err != nil {
		return fmt.Errorf("send prepared slate: %w", err)
	}
	return nil
}

// resize makes runPreparedSlates code slates of a new size.
func (p *Pipeline) resize(s slateSize) {
	for {
		select {
		case p.outputSize <- s:
			return
		case <-p.outputSize: // an older one, which is not needed any more
		}
	}
}

// watched is an encoder of prepared slates. If it hangs it is noticed as any stage is.
type watched struct {
	encoder
	p *Pipeline
}

func (w watched) Encode(f redact.Frame, pts int64, key bool) (encode.Unit, error) {
	w.p.enter(preparedStage)
	defer w.p.leave(preparedStage)
	return w.encoder.Encode(f, pts, key)
}

// newWatched returns a watched encoder.
func (p *Pipeline) newWatched(width, height int, o encode.Options) (encoder, error) {
	p.enter(preparedStage)
	defer p.leave(preparedStage)
	e, err := p.newEncoder(width, height, o)
	if err != nil {
		return nil, err
	}
	return watched{e, p}, nil
}

// runPreparedSlates codes new slates when the size of the output changes. Pictures do
// not wait for it.
func (p *Pipeline) runPreparedSlates(ctx context.Context) {
	for last := (slateSize{}); ; {
		select {
		case s := <-p.outputSize:
			if p.o.PreparedSlates == nil || s == last {
				continue
			}
			if err := codePreparedSlates(p.o.Camera, s, p.o.Encode, p.newWatched, p.o.PreparedSlates); err != nil && ctx.Err() == nil {
				p.o.Log.Warn("cannot prepare slates", "error", err)
				continue
			}
			last = s
		case <-ctx.Done():
			return
		}
	}
}
