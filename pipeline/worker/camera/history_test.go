package camera

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

func TestShortChangesAreNotMerged(t *testing.T) {
	var c StateHistory
	at := time.Unix(1, 0)
	note := func(state transport.State, fault transport.Fault, reason string) bool {
		return c.Note(transport.Event{Time: at, State: state, Fault: fault, Reason: reason})
	}
	for range 3 { // nobody looks meanwhile
		note(transport.StateLive, "", "")
		require.True(t, note(transport.StateObscured, transport.FaultLoss, "packet loss"))
		require.False(t, note(transport.StateObscured, transport.FaultLoss, "packet loss"))
	}
	note(transport.StateObscured, transport.FaultLoss, "another loss") // the same fault goes on
	note(transport.StateObscured, "", "starting")
	note(transport.StateObscured, transport.FaultCamera, "stream not found")
	events, lost := c.Events()
	require.Zero(t, lost)
	require.Len(t, events, 9)
	require.Equal(t, transport.Event{Time: at, State: transport.StateObscured, Fault: transport.FaultLoss, Reason: "packet loss"}, events[1])
	require.Equal(t, map[transport.Fault]uint64{transport.FaultLoss: 3, transport.FaultCamera: 1}, c.Faults())
	events, _ = c.Events()
	require.Empty(t, events)
}

func TestEventsThatNobodyTakesAreBounded(t *testing.T) {
	var c StateHistory
	for i := range maxEvents + 5 {
		c.Note(transport.Event{State: transport.StateObscured, Fault: transport.FaultOther, Reason: fmt.Sprint(i)})
	}
	events, lost := c.Events()
	require.Equal(t, 5, lost)
	require.Len(t, events, maxEvents)
	require.Equal(t, "5", events[0].Reason)
}
