package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

func TestListedCamerasAreBounded(t *testing.T) {
	s := &source{cameras: map[string]transport.Status{}, readers: map[chan transport.Event]struct{}{}}
	for n := range maxCameras + 10 {
		s.status(transport.Status{Camera: fmt.Sprintf("made-up-%d", n), State: transport.StateLive})
	}
	require.Len(t, s.Cameras(), maxCameras)
	s.status(transport.Status{Camera: "gate", State: transport.StateLive})
	require.NotContains(t, s.cameras, "gate", "none of the others is silent")

	// The one that has been silent for longest makes room.
	for name, age := range map[string]time.Duration{"made-up-7": 2 * silentAfter, "made-up-8": 3 * silentAfter} {
		st := s.cameras[name]
		st.Updated = time.Now().Add(-age)
		s.cameras[name] = st
	}
	s.status(transport.Status{Camera: "gate", State: transport.StateLive})
	require.Contains(t, s.cameras, "gate")
	require.Contains(t, s.cameras, "made-up-7")
	require.NotContains(t, s.cameras, "made-up-8")
	require.Len(t, s.Cameras(), maxCameras)
}

func TestCameraThatIsRemovedIsNotListedAnyMore(t *testing.T) {
	s := &source{cameras: map[string]transport.Status{}, readers: map[chan transport.Event]struct{}{}}
	for _, state := range []transport.State{transport.StateLive, transport.StateRemoved} {
		s.status(transport.Status{Camera: "gate", State: state})
	}
	s.status(transport.Status{Camera: "never-heard-of", State: transport.StateRemoved})
	require.Empty(t, s.Cameras())
	require.False(t, s.Knows("gate"))
}
