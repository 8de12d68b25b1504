package camera

import (
	"fmt"
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

// maxEpochs bounds how many epochs one process may use.
const maxEpochs = 1 << 20

// parse returns the event for a message of a process.
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
		return e, fmt.Errorf("%w: unexpected message %q", ipc.ErrProtocol, m.Type)
	}
	return e, m.Decode(e.head)
}

// isPicture reports whether an encoded picture is within the bounds of the bus, which
// would refuse it otherwise.
func isPicture(width, height int, data []byte, limit int) bool {
	return width > 0 && width <= transport.MaxSide && height > 0 && height <= transport.MaxSide && len(data) > 0 && len(data) <= limit
}

// ofRedactor reports whether a redactor may say that a picture, or else a slate, is in
// that state.
func ofRedactor(s transport.State, picture bool) bool {
	return s == transport.StateBlind || picture && s == transport.StateLive || !picture && s == transport.StateObscured
}

// checkOutput checks the output of a process whose first epoch is epoch.
func checkOutput(o *ipc.Output, data []byte, epoch uint64) error {
	switch {
	case o.Epoch < epoch, o.Epoch > epoch+maxEpochs, !isPicture(o.Width, o.Height, data, transport.MaxUnitBytes), transport.CheckCodec(o.Codec) != nil,
		!ofRedactor(o.State, o.Record != nil), o.Sight != nil && o.Sight.Check() != nil:
		return fmt.Errorf("%w: invalid output %d/%d", ipc.ErrProtocol, o.Epoch, o.Seq)
	}
	return nil
}

// checkSnapshot checks a snapshot. Its unit decides whether it is held back, so a picture
// must have one.
func checkSnapshot(s *ipc.Snapshot, data []byte) error {
	if !isPicture(s.Width, s.Height, data, transport.MaxSnapshotBytes) ||
		!ofRedactor(s.State, s.Unit != 0) {
		return fmt.Errorf("%w: invalid snapshot of %d×%d, %d bytes", ipc.ErrProtocol, s.Width, s.Height, len(data))
	}
	return nil
}

// redacted returns a redactor's output as a unit.
func redacted(o *ipc.Output, data []byte) *transport.RedactedUnit {
	u := o.RedactedUnit
	u.Captured, u.Reason, u.Data = wallClock(u.Captured), oneLine(u.Reason), data
	if o.Record != nil {
		u.Regions = make([]geom.Region, 0, len(o.Record.Regions))
		for _, r := range o.Record.Regions {
			u.Regions = append(u.Regions, r.Region())
		}
	}
	return &u
}

// wallClock returns a redactor's time without its zone, within what the bus can carry.
func wallClock(t time.Time) time.Time { return time.Unix(0, t.UnixNano()) }
