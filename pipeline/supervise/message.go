package supervise

import (
	"fmt"
	"strings"
	"time"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// failure is what a redactor says last.
type failure struct{ wire.Failure }

func (f *failure) Error() string { return oneLine(f.Reason) }

// message handles one message.
func (p *process) message(m *wire.Message) error {
	greeted := p.greeted()
	switch {
	case m.Type == wire.TypeFailure:
		var f wire.Failure
		if err := m.Decode(&f); err != nil {
			return err
		}
		if f.Permanent {
			return fmt.Errorf("%w: %w", ErrPermanent, &failure{f})
		}
		return &failure{f}
	case m.Type == wire.TypeHello && !greeted:
		var h wire.Hello
		if err := m.Decode(&h); err != nil {
			return err
		}
		first := p.c.wasUp.CompareAndSwap(false, true)
		p.c.state.hello(h)
		p.c.out.greeted(p)
		p.c.log.Info("redactor is up", "detector", oneLine(h.Detector), "epoch", p.epoch, "pid", p.cmd.Process.Pid,
			"sandbox", oneLine(strings.Join(h.Sandbox.Holding(), " ")))
		if missing := h.Sandbox.Missing(); first && len(missing) > 0 {
			p.c.log.Warn("redactor is not fully confined", "missing", oneLine(strings.Join(missing, "; ")))
		}
		if h.Warning != "" {
			p.c.log.Warn(oneLine(h.Warning))
		}
		close(p.hello)
		return nil
	case m.Type == wire.TypeSpare:
		var s wire.Spare
		if err := m.Decode(&s); err != nil {
			return err
		}
		if s.Width <= 0 || s.Height <= 0 || s.Codec == "" || len(m.Body) == 0 || s.Still && len(m.Body) > transport.MaxStillBytes {
			return fmt.Errorf("%w: spare slate of %d×%d is not what a redactor makes", wire.ErrProtocol, s.Width, s.Height)
		}
		p.c.out.spare(s, m.Body, greeted)
		return nil
	case m.Type == wire.TypeBeat && greeted:
		var b wire.Beat
		if err := m.Decode(&b); err != nil {
			return err
		}
		p.c.out.beat(p, b)
		return nil
	case m.Type == wire.TypeShot && greeted:
		var s wire.Shot
		if err := m.Decode(&s); err != nil {
			return err
		}
		return p.still(&s, m.Body)
	case m.Type == wire.TypeOutput && greeted:
		var o wire.Output
		if err := m.Decode(&o); err != nil {
			return err
		}
		return p.output(&o, m.Body)
	}
	return fmt.Errorf("%w: message %q is not due", wire.ErrProtocol, m.Type)
}

func (p *process) greeted() bool {
	select {
	case <-p.hello:
		return true
	default:
		return false
	}
}

// output checks and publishes one redacted unit.
func (p *process) output(o *wire.Output, data []byte) error {
	switch {
	case o.Epoch < p.epoch, o.Epoch > p.epoch+maxEpochs, o.Width <= 0, o.Height <= 0, len(data) == 0,
		o.State != transport.StateLive && o.State != transport.StateObscured,
		(o.Record != nil) != (o.State == transport.StateLive):
		return fmt.Errorf("%w: unit %d/%d is not what a redactor makes", wire.ErrProtocol, o.Epoch, o.Seq)
	}
	u := &transport.RedactedUnit{
		Epoch: o.Epoch, PTS: o.PTS, Captured: time.Unix(0, o.Captured), Key: o.Key, Codec: o.Codec,
		Width: o.Width, Height: o.Height, State: o.State, Reason: oneLine(o.Reason), Data: data,
	}
	if o.Record != nil {
		u.Regions = regions(o.Record.Regions)
	}
	p.sent.Add(1)
	p.c.out.unit(p, o, u)
	return nil
}
