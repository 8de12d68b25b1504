package camera

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// tester is a *testing.T or a *rapid.T.
type tester interface {
	require.TestingT
	Helper()
	Fatalf(format string, args ...any)
}

// rig drives a machine in a time of its own, and does what it says at once.
type rig struct {
	t   tester
	m   *machine
	now time.Time
	log *lockedBuffer

	out     []*transport.RedactedUnit
	events  []transport.Event
	status  transport.Status
	sent    []item // to the process
	starts  []startProcess
	hurried int
	killed  []int
	ended   []error // connections
	gaveUp  error
	// examined is when the process's state was last looked at.
	examined time.Time

	runnable bool          // what the kernel says of the process
	used     time.Duration // processor time
	stands   bool          // the bus takes nothing
	silent   bool          // the camera sends nothing; else it is known to send
	unsent   []event       // what it will answer
}

func newRig(t tester, lazy bool) *rig {
	t.Helper()
	r := &rig{
		t: t, now: time.Unix(1_700_000_000, 0), log: &lockedBuffer{},
		m: newMachine(&ipc.Config{Site: "test", Camera: "door"}, "", lazy),
	}
	return r
}

// do has the machine take events, and what follows.
func (r *rig) do(events ...event) {
	for _, e := range events {
		r.m.handle(func() time.Time { return r.now }, e, r.perform)
	}
}

func (r *rig) perform(a action) (answer event) {
	switch a := a.(type) {
	case publish:
		r.out = append(r.out, a.unit)
		return r.answer(unitSent{bytes: len(a.unit.Data)})
	case report:
		r.events, r.status = append(r.events, a.events...), a.status
		return r.answer(reportSent{})
	case startProcess:
		r.starts = append(r.starts, a)
	case raisePriority:
		r.hurried++
	case writeMessage:
		r.sent = append(r.sent, a.item)
		return writeDone{a.id}
	case killProcess:
		r.killed = append(r.killed, a.id)
	case examineProcess:
		if a.state {
			r.examined = r.now
		}
		return processExamined{a.id, r.used, true, a.state && r.runnable}
	case reconnect:
		r.ended = append(r.ended, a.err)
	case giveUp:
		r.gaveUp = a.err
	case returnSnapshot:
		a.to <- a.snapshot
	case returnStatus:
		a.to <- a.status
	case logLine:
		slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})).Log(context.Background(), a.level, a.msg, a.args...)
	default:
		r.t.Fatalf("action %T", a)
	}
	return nil
}

// answer is what the bus says, once it stands no more.
func (r *rig) answer(e event) event {
	if r.stands {
		r.unsent = append(r.unsent, e)
		return nil
	}
	return e
}

// pass lets time pass, with its ticks.
func (r *rig) pass(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		r.now = r.now.Add(min(tickInterval, end.Sub(r.now)))
		if !r.silent {
			r.m.input.silentSince = r.now
		}
		r.do(tick{})
	}
}

// bench is a camera with slates whose redactor is up, and the number of that.
func bench(t *testing.T) (r *rig, id int) {
	t.Helper()
	r = newRig(t, false)
	r.do(runStarted{true})
	for _, kind := range []ipc.SlateKind{ipc.SlateStarting, ipc.SlateHang} {
		r.m.slates.keep(slate{ipc.PreparedSlate{Kind: kind, Codec: "avc1.42c01f", Width: 64, Height: 48}, []byte(kind)}, true)
	}
	return r, r.up()
}

// up has the process that is being started come up.
func (r *rig) up() (id int) {
	r.t.Helper()
	require.NotEmpty(r.t, r.starts)
	id = r.starts[len(r.starts)-1].id
	r.do(processStarted{id, 1}, messageReceived{id, &ipc.Hello{}, nil})
	r.m.redactor.process.epoch = 1 // tests number from there
	r.sent = nil
	return id
}

// end has the process end, and the next one be started.
func (r *rig) end(id int, err error) {
	r.do(processEnded{id, err})
}

// all returns what was published since the last call.
func (r *rig) all() (data []string) {
	for _, u := range r.out {
		data = append(data, string(u.Data))
	}
	r.out = nil
	return data
}

// commands returns what was sent to the process since the last call, units left out.
func (r *rig) commands() (heads []any) {
	for _, it := range r.sent {
		if it.kind != ipc.TypeUnit {
			heads = append(heads, it.head)
		}
	}
	r.sent = nil
	return heads
}

// give has a process make a picture.
func (r *rig) give(id int, epoch, fence uint64, key bool, data string) {
	r.makes(id, epoch, 0, fence, key, data)
}

func (r *rig) makes(id int, epoch, of, fence uint64, key bool, data string) {
	r.do(messageReceived{id, &ipc.Output{
		RedactedUnit: transport.RedactedUnit{
			Epoch: epoch, PTS: max(int64(of), 1), Key: key, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateLive,
		}, //nolint:gosec // small
		Fence: fence, Record: &ipc.Record{Unit: of},
	}, []byte(data)})
}

// arrives has the camera's unit of a number arrive.
func (r *rig) arrives(number uint64, provisional bool, gap transport.GapKind) {
	r.m.units = number - 1
	r.do(unitArrived{transport.CameraUnit{Codec: transport.H264, Arrived: r.now, Provisional: provisional, Gap: transport.Gap{Kind: gap, Text: string(gap)}}})
}

// hangs has the redactor send nothing until it is covered for.
func (r *rig) hangs() { r.pass(slateSilence + tickInterval) }

// beats has it live for a time.
func (r *rig) beats(id int, d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); r.pass(min(ipc.HeartbeatInterval, end.Sub(r.now))) {
		r.do(messageReceived{id, &ipc.Heartbeat{}, nil})
	}
}

// lastEvent is the last change of state.
func (r *rig) lastEvent() transport.Event {
	r.t.Helper()
	require.NotEmpty(r.t, r.events)
	return r.events[len(r.events)-1]
}

// logs has a logger of a machine's parts log to a buffer.
func logs() (logger, *lockedBuffer) {
	log, b := debugLog()
	return func(level slog.Level, msg string, args ...any) { log.Log(context.Background(), level, msg, args...) }, b
}

// lines returns the lines of the log that have all of the texts.
func (r *rig) lines(texts ...string) []string { return logged(r.log, texts...) }
