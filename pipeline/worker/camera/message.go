package camera

import (
	"fmt"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// maxEpochs bounds how many epochs one life of a redactor may use.
const maxEpochs = 1 << 20

// parse returns what a process has said.
func parse(id int, m *ipc.Message) (messageReceived, error) {
	e := messageReceived{id: id, data: m.Body}
	switch m.Type {
	case ipc.TypeHello:
		e.head = &ipc.Hello{}
	case ipc.TypeHeartbeat:
		e.head = &ipc.Heartbeat{}
	case ipc.TypeOutput:
		e.head = &ipc.Output{}
	case ipc.TypeSnapshot:
		e.head = &ipc.Snapshot{}
	case ipc.TypePreparedSlate:
		e.head = &ipc.PreparedSlate{}
	default:
		return e, fmt.Errorf("%w: message %q is not due", ipc.ErrProtocol, m.Type)
	}
	return e, m.Decode(e.head)
}

// isPicture reports whether something coded is within the bounds of the bus: what is not
// it would refuse, and viewers have nothing.
func isPicture(width, height int, data []byte, limit int) bool {
	return width > 0 && width <= transport.MaxSide && height > 0 && height <= transport.MaxSide && len(data) > 0 && len(data) <= limit
}

// checkOutput checks a redacted unit of a process whose first epoch is the one given.
func checkOutput(o *ipc.Output, data []byte, epoch uint64) error {
	switch {
	case o.Epoch < epoch, o.Epoch > epoch+maxEpochs, !isPicture(o.Width, o.Height, data, transport.MaxUnitBytes), transport.CheckCodec(o.Codec) != nil,
		o.State != transport.StateLive && o.State != transport.StateObscured,
		(o.Record != nil) != (o.State == transport.StateLive):
		return fmt.Errorf("%w: unit %d/%d is not what a redactor makes", ipc.ErrProtocol, o.Epoch, o.Seq)
	}
	return nil
}

// checkSnapshot checks a snapshot. Whether a picture waits for a proof is told by its
// unit.
func checkSnapshot(s *ipc.Snapshot, data []byte) error {
	if !isPicture(s.Width, s.Height, data, transport.MaxSnapshotBytes) ||
		s.State != transport.StateLive && s.State != transport.StateObscured ||
		(s.Unit != 0) != (s.State == transport.StateLive) {
		return fmt.Errorf("%w: snapshot of %d×%d, %d bytes, is not what a redactor makes", ipc.ErrProtocol, s.Width, s.Height, len(data))
	}
	return nil
}

// redacted is the unit that a redactor has made.
func redacted(o *ipc.Output, data []byte) *transport.RedactedUnit {
	u := &transport.RedactedUnit{
		Epoch: o.Epoch, PTS: o.PTS, Captured: time.Unix(0, o.Captured), Key: o.Key, Codec: o.Codec,
		Width: o.Width, Height: o.Height, State: o.State, Reason: oneLine(o.Reason), Data: data,
	}
	if o.Record != nil {
		u.Regions = o.Record.Regions
	}
	return u
}
