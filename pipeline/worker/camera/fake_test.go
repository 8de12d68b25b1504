package camera

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
	"scrim/redact/geom"
	"scrim/transport"
)

// The test binary, started with this argument, plays a redactor.
const fakeArg = "fake-redactor"

// busyStart is about what a redactor needs to load its libraries and model, confine
// itself and pass its self-test.
const busyStart = 300 * time.Millisecond

// burn uses processor time.
func burn(d time.Duration) {
	from, _ := redactorproc.CPUTime(os.Getpid())
	for now := from; now-from < d; now, _ = redactorproc.CPUTime(os.Getpid()) {
		for i := range 1_000_000 {
			_ = i * i
		}
	}
}

// floodLines are what the order "flood" has it write.
const floodLines = 20_000

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == fakeArg {
		os.Exit(fake(os.Args[2]))
	}
	goleak.VerifyTestMain(m)
}

// fake answers every unit with a live output that has the unit's data, and
// every input message with a slate. A unit's data may be an order: "crash",
// "hang", "stop", "flood", "garbage" or "wrong epoch". In mode "spares" it has slates for
// the worker. Mode "busy" is that, and takes the processor time that a start takes.
func fake(mode string) int {
	out := ipc.NewWriter(os.Stdout)
	in := ipc.NewReader(os.Stdin)
	m, err := in.Read()
	if err != nil || m.Type != ipc.TypeConfig {
		return 3
	}
	var c ipc.Config
	if err := m.Decode(&c); err != nil {
		return 3
	}
	if strings.HasPrefix(mode, "spares") || strings.HasPrefix(mode, "busy") {
		for _, kind := range ipc.SlateKinds {
			for part := range ipc.SlateParts {
				head := ipc.PreparedSlate{Kind: kind, Part: part, Codec: "avc1.42c01f", Width: 64, Height: 48}
				_ = out.Write(ipc.TypePreparedSlate, head, fmt.Appendf(nil, "%s %d", kind, part))
			}
			still := ipc.PreparedSlate{Kind: kind, Snapshot: true, Codec: "jpeg", Width: 64, Height: 48}
			_ = out.Write(ipc.TypePreparedSlate, still, fmt.Appendf(nil, "%s still", kind))
		}
	}
	switch mode {
	case "busy":
		burn(busyStart)
	case "spares, permanent", "permanent", "failing":
		_ = out.Write(ipc.TypeFailure, ipc.Failure{Reason: "model gone.onnx is\nmissing", Permanent: mode != "failing"}, nil)
		return 1
	case "impolite":
		_ = out.Write(ipc.TypeOutput, ipc.Output{RedactedUnit: transport.RedactedUnit{Epoch: c.Epoch}}, nil)
		return 0
	case "chatty":
		fmt.Fprintln(os.Stderr, `{"level":"WARN","msg":"picture withheld","error":"no\nface"}`)
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 3*redactorproc.MaxLine))
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'cv::Exception'")
	}
	_ = out.Write(ipc.TypeHello, ipc.Hello{Detector: "fake " + strings.Join(os.Environ(), ","), Warning: "only a test"}, nil)
	var stopped atomic.Bool
	var encoding atomic.Int64
	go func() { // ends with the process
		for ; !stopped.Load(); time.Sleep(ipc.HeartbeatInterval) {
			_ = out.Write(ipc.TypeHeartbeat, ipc.Heartbeat{Encoding: encoding.Load()}, nil)
		}
	}()
	seq, fence := uint64(0), uint64(0)
	unit := uint64(1)
	send := func(o ipc.Output, data []byte) {
		seq++
		o.Fence = fence
		o.Epoch, o.Seq, o.PTS, o.Key, o.Codec, o.Width, o.Height = max(o.Epoch, c.Epoch), seq, int64(seq), true, "avc1.42c01f", 64, 48
		_ = out.Write(ipc.TypeOutput, o, data)
	}
	for {
		m, err := in.Read()
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err != nil {
			return 3
		}
		switch m.Type {
		case ipc.TypeInput:
			var i ipc.Input
			_ = m.Decode(&i)
			send(ipc.Output{RedactedUnit: transport.RedactedUnit{State: transport.StateObscured, Reason: i.Reason}}, []byte("slate"))
		case ipc.TypeSnapshotRequest:
			head := ipc.Snapshot{
				Snapshot: transport.Snapshot{Captured: time.Unix(0, int64(seq)), Width: 64, Height: 48, State: transport.StateLive}, Unit: unit, Fence: fence,
			}
			_ = out.Write(ipc.TypeSnapshot, head, []byte("still"))
		case ipc.TypeKeyframe:
			var k ipc.Keyframe
			_ = m.Decode(&k)
			fence = max(fence, k.Fence)
			send(ipc.Output{RedactedUnit: transport.RedactedUnit{State: transport.StateObscured, Reason: "key frame"}}, []byte("slate"))
		case ipc.TypeUnit:
			var u transport.CameraUnit
			_ = m.Decode(&u)
			unit = u.Number
			switch string(m.Body) {
			case "crash":
				return 134
			case "segmentation fault":
				_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
				time.Sleep(time.Hour)
			case "killed":
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				time.Sleep(time.Hour)
			case "exception":
				fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\nSIGABRT: abort")
				return 2
			case "panic":
				panic("no such picture")
			case "flood": // more than fits in a pipe
				for range floodLines {
					fmt.Fprintln(os.Stderr, strings.Repeat("secret ", 10))
				}
				send(ipc.Output{RedactedUnit: transport.RedactedUnit{State: transport.StateLive}, Record: &ipc.Record{}}, []byte("dry"))
			case "hang":
				stopped.Store(true)
				time.Sleep(time.Hour)
			case "stop": // until somebody lets it go on
				_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			case "encoder hangs":
				encoding.Store(int64(time.Minute))
			case "encoder is back":
				encoding.Store(0)
			case "garbage":
				_, _ = os.Stdout.WriteString(strings.Repeat("garbage ", 100))
			case "wrong epoch":
				send(ipc.Output{RedactedUnit: transport.RedactedUnit{
					Epoch: c.Epoch + 2*maxEpochs, State: transport.StateLive,
				}, Record: &ipc.Record{}}, []byte("x"))
			case "too large a still":
				head := ipc.Snapshot{Snapshot: transport.Snapshot{Width: 64, Height: 48, State: transport.StateLive}, Unit: 1}
				_ = out.Write(ipc.TypeSnapshot, head, make([]byte, transport.MaxSnapshotBytes+1))
			case "live without record":
				send(ipc.Output{RedactedUnit: transport.RedactedUnit{State: transport.StateLive}}, []byte("x"))
			default:
				body := string(m.Body)
				if u.Gap.Kind != transport.GapNone {
					body += fmt.Sprintf(" after %s %v", u.Gap.Text, u.Gap.Intact)
				}
				send(ipc.Output{
					RedactedUnit: transport.RedactedUnit{State: transport.StateLive},
					Record: &ipc.Record{Picture: seq, Regions: []geom.RegionRecord{
						{X: 1, Y: 2, W: 3, H: 4, Face: geom.Box{X: 1.5, Y: 2.5, W: 1, H: 2}, Score: 0.5, Source: "detected", Track: 1},
					}},
				}, []byte(body))
			}
		}
	}
}
