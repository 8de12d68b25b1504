package pipeline

import (
	"context"
	"fmt"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/transport"
)

// SlateWidth and SlateHeight are the size of slates until the camera's is known.
const (
	SlateWidth  = 1280
	SlateHeight = 720
)

// preparedTexts are what is written on the slates that are coded beforehand.
var preparedTexts = []struct {
	kind ipc.SlateKind
	text string
}{
	{ipc.SlateStarting, "starting"},
	{ipc.SlateHang, "redactor does not answer"},
	{ipc.SlateFailed, "redactor cannot work as it is set up"},
	{ipc.SlateOffline, "camera offline"},
}

// slateSize is what spares are made for.
type slateSize struct {
	width, height int
	fullRange     bool
}

// PreparedSlates codes slates that can each be decoded by themselves, and hands them to
// send. The worker, which can code nothing, shows them when this process is dead
// or hangs.
func PreparedSlates(camera string, width, height int, c ipc.EncodeConfig, send func(ipc.PreparedSlate, []byte) error) error {
	return codePreparedSlates(camera, slateSize{width, height, false}, c, newEncoder, send)
}

func codePreparedSlates(camera string, size slateSize, c ipc.EncodeConfig, open encoders, send func(ipc.PreparedSlate, []byte) error) error {
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

// resize makes runPreparedSlates code slates of another size.
func (p *Pipeline) resize(s slateSize) {
	for {
		select {
		case p.sized <- s:
			return
		case <-p.sized: // an older one, which nobody needs any more
		}
	}
}

// watched is an encoder of spares. That it hangs is noticed as with any stage.
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

// runPreparedSlates makes new spares when the output has another size. Pictures do not
// wait for it.
func (p *Pipeline) runPreparedSlates(ctx context.Context) {
	for last := (slateSize{}); ; {
		select {
		case s := <-p.sized:
			if p.o.PreparedSlates == nil || s == last {
				continue
			}
			if err := codePreparedSlates(p.o.Camera, s, p.o.Encode, p.newWatched, p.o.PreparedSlates); err != nil && ctx.Err() == nil {
				p.o.Log.Warn("no slates for the worker", "error", err)
				continue
			}
			last = s
		case <-ctx.Done():
			return
		}
	}
}
