package camera

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// The bus would refuse them, and viewers would see nothing for as long as they are kept.
func TestSlateThatTheBusRefusesEndsTheRedactor(t *testing.T) {
	good := ipc.PreparedSlate{Kind: ipc.SlateStarting, Codec: "avc1.42c01f", Width: transport.MaxSide, Height: transport.MaxSide}
	for name, change := range map[string]func(*ipc.PreparedSlate) []byte{
		"width":  func(s *ipc.PreparedSlate) []byte { s.Width++; return []byte("x") },
		"height": func(s *ipc.PreparedSlate) []byte { s.Height = 0; return []byte("x") },
		"codec": func(s *ipc.PreparedSlate) []byte {
			s.Codec = "avc1.42c01f, and a long text after that"
			return []byte("x")
		},
		"kind":  func(s *ipc.PreparedSlate) []byte { s.Kind = "another"; return []byte("x") },
		"bytes": func(*ipc.PreparedSlate) []byte { return make([]byte, transport.MaxUnitBytes+1) },
		"JPEG": func(s *ipc.PreparedSlate) []byte {
			s.Snapshot = true
			return make([]byte, transport.MaxSnapshotBytes+1)
		},
	} {
		r, id := bench(t)
		s := good
		r.do(messageReceived{id, &s, []byte("x")})
		require.Empty(t, r.killed, name)
		bad := good
		data := change(&bad)
		r.do(messageReceived{id, &bad, data})
		require.Equal(t, []int{id}, r.killed, name)
	}
}

func TestOutputThatTheBusRefusesEndsTheRedactor(t *testing.T) {
	for name, change := range map[string]func(*ipc.Output) []byte{
		"width": func(o *ipc.Output) []byte { o.Width = transport.MaxSide + 1; return []byte("x") },
		"codec": func(o *ipc.Output) []byte { o.Codec = ""; return []byte("x") },
		"bytes": func(*ipc.Output) []byte { return make([]byte, transport.MaxUnitBytes+1) },
	} {
		r, id := bench(t)
		o := ipc.Output{RedactedUnit: transport.RedactedUnit{
			Epoch: 1, Key: true, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateObscured,
		}}
		r.do(messageReceived{id, &o, []byte("x")})
		require.Empty(t, r.killed, name)
		data := change(&o)
		r.do(messageReceived{id, &o, data})
		require.Equal(t, []int{id}, r.killed, name)
	}
}

// Who has taken over a redactor makes its slates as well.
func TestSlatesOfARedactorThatTalksNonsenseAreForgotten(t *testing.T) {
	for _, nonsense := range []bool{false, true} {
		r, id := bench(t) // with slates from before
		r.do(processEnded{id, errors.New("crash")})
		r.pass(time.Second)
		id = r.up()
		for _, still := range []bool{false, true} {
			r.do(messageReceived{id, &ipc.PreparedSlate{Kind: ipc.SlateStarting, Snapshot: still, Codec: "c", Width: 640, Height: 480}, []byte("its own")})
		}
		r.give(id, 1, 0, true, "picture")
		r.all()
		if nonsense {
			r.do(messageReceived{id, &ipc.Hello{}, nil})
		}
		r.end(id, errors.New("crash"))
		want := map[bool]string{false: "its own", true: "starting"}[nonsense]
		require.Equal(t, []string{want}, r.all())
		s := r.m.slateSnapshot()
		require.Equal(t, !nonsense, s != nil && string(s.JPEG) == want, fmt.Sprint(s))
	}
}
