package supervise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// promises checks what was published, as it is published: it must make sense, whatever
// the redactor says.
type promises struct {
	t    testing.TB
	r    *rig
	last *transport.RedactedUnit
}

// all checks what is new.
func (p *promises) all() {
	for _, u := range p.r.out {
		p.unit(u)
	}
	for _, e := range p.r.events {
		require.NotContains(p.t, e.Reason, "\n")
	}
	p.r.out, p.r.events = nil, nil
}

func (p *promises) unit(u *transport.RedactedUnit) {
	t := p.t
	require.Equal(t, "door", u.Camera)
	require.Positive(t, u.Width)
	require.Positive(t, u.Height)
	require.NotEmpty(t, u.Data)
	require.Contains(t, []transport.State{transport.StateLive, transport.StateObscured}, u.State)
	require.NotContains(t, u.Reason, "\n")
	if p.last == nil || p.last.Epoch != u.Epoch {
		require.True(t, u.Key, "an epoch begins with a key frame")
		require.EqualValues(t, 1, u.Seq)
		require.True(t, p.last == nil || u.Epoch > p.last.Epoch)
	} else {
		require.Equal(t, p.last.Seq+1, u.Seq)
	}
	require.True(t, p.last == nil || u.PTS > p.last.PTS, "time goes on")
	p.last = u
}
