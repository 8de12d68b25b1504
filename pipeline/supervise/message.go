package supervise

import (
	"fmt"
	"time"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// maxEpochs bounds how many epochs one life of a redactor may use.
const maxEpochs = 1 << 20

// failure is what a redactor says last.
type failure struct{ wire.Failure }

func (f *failure) Error() string { return oneLine(f.Reason) }

// parse returns what a message of a process means. The error is that of the redactor,
// if it tells one, or of what is no message.
func parse(id int, m *wire.Message) (event, error) {
	switch m.Type {
	case wire.TypeHello:
		e := hello{id: id}
		return decode(m, &e.head, &e)
	case wire.TypeBeat:
		e := heartbeat{id: id}
		return decode(m, &e.head, &e)
	case wire.TypeOutput:
		e := output{id: id, head: &wire.Output{}, data: m.Body}
		return decode(m, e.head, &e)
	case wire.TypeShot:
		e := snapshotMade{id: id, head: &wire.Shot{}, data: m.Body}
		return decode(m, e.head, &e)
	case wire.TypeSpare:
		e := slateMade{id: id, slate: slate{data: m.Body}}
		if err := m.Decode(&e.slate.Spare); err != nil {
			return nil, err
		}
		return e, e.slate.check()
	case wire.TypeFailure:
		var f wire.Failure
		if err := m.Decode(&f); err != nil {
			return nil, err
		}
		if f.Permanent {
			return nil, fmt.Errorf("%w: %w", ErrPermanent, &failure{f})
		}
		return nil, &failure{f}
	}
	return nil, fmt.Errorf("%w: message %q is not due", wire.ErrProtocol, m.Type)
}

// decode fills the head of an event.
func decode[E any](m *wire.Message, head any, e *E) (event, error) {
	if err := m.Decode(head); err != nil {
		return nil, err
	}
	return *e, nil
}

// checkOutput checks a redacted unit of a process whose first epoch is the one given.
func checkOutput(o *wire.Output, data []byte, epoch uint64) error {
	switch {
	case o.Epoch < epoch, o.Epoch > epoch+maxEpochs, o.Width <= 0, o.Height <= 0, len(data) == 0,
		o.State != transport.StateLive && o.State != transport.StateObscured,
		(o.Record != nil) != (o.State == transport.StateLive):
		return fmt.Errorf("%w: unit %d/%d is not what a redactor makes", wire.ErrProtocol, o.Epoch, o.Seq)
	}
	return nil
}

// checkSnapshot checks a snapshot. Whether a picture waits for a proof is told by its
// unit.
func checkSnapshot(s *wire.Shot, data []byte) error {
	if s.Width <= 0 || s.Height <= 0 || len(data) == 0 || len(data) > transport.MaxStillBytes ||
		s.State != transport.StateLive && s.State != transport.StateObscured ||
		(s.Unit != 0) != (s.State == transport.StateLive) {
		return fmt.Errorf("%w: snapshot of %d×%d, %d bytes, is not what a redactor makes", wire.ErrProtocol, s.Width, s.Height, len(data))
	}
	return nil
}

// redacted is the unit that a redactor has made.
func redacted(o *wire.Output, data []byte) *transport.RedactedUnit {
	u := &transport.RedactedUnit{
		Epoch: o.Epoch, PTS: o.PTS, Captured: time.Unix(0, o.Captured), Key: o.Key, Codec: o.Codec,
		Width: o.Width, Height: o.Height, State: o.State, Reason: oneLine(o.Reason), Data: data,
	}
	if o.Record != nil {
		u.Regions = regions(o.Record.Regions)
	}
	return u
}
