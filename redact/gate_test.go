package redact

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFrameOfAnOlderGenerationIsRefusedAlsoWhenTheGateIsOpenAgain(t *testing.T) {
	r, _, g := setup(t)
	old, _, err := redactOne(r, next(t, g, 1, true))
	require.NoError(t, err)
	require.True(t, g.Admits(old, time.Now()))
	g.Shut(Cause{Text: "packet loss"})
	require.False(t, g.Admits(old, time.Now()))
	fresh, _, err := redactOne(r, next(t, g, 2, true))
	require.NoError(t, err)
	require.True(t, g.Admits(fresh, time.Now()))
	require.False(t, g.Admits(old, time.Now()), "a frame of before the loss is admitted again")
}

func TestFrameThatHasWaitedTooLongIsRefusedAndShutsNothing(t *testing.T) {
	for lookahead, limit := range map[int]time.Duration{
		0: MaxInspectionAge,
		1: MaxInspectionAge + MaxLookaheadTime,
	} {
		r, _, g := ahead(t, lookahead)
		now := time.Unix(1000, 0)
		r.now = func() time.Time { return now }
		outs := append([]Outcome(nil), r.Redact(next(t, g, 1, true))...)
		outs = append(outs, r.Flush()...)
		require.Len(t, outs, 1)
		require.NoError(t, outs[0].Err)
		f := outs[0].Frame
		require.True(t, g.Admits(f, now.Add(limit)))
		require.False(t, g.Admits(f, now.Add(limit+1)), "look-ahead %d", lookahead)
		_, open, _ := g.State()
		require.True(t, open)
		s, err := NewSlate(64, 48)
		require.NoError(t, err)
		require.True(t, g.Admits(s.Frame("", ""), now.Add(time.Hour)), "a slate is of no age")
	}
}

func TestPictureOfAnOlderGenerationIsNotInspectedAndShutsNothing(t *testing.T) {
	r, p, g := ahead(t, 2)
	first, second, late := next(t, g, 1, true), next(t, g, 2, false), next(t, g, 3, false)
	require.Empty(t, r.Redact(first))
	require.Empty(t, r.Redact(second))
	passes := p.passes
	generation := g.Shut(Cause{Text: "packet loss"})
	p.err = errors.New("cannot see on smeared pictures")
	outs := r.Redact(late)
	require.Len(t, outs, 3)
	for i, pic := range []*Picture{first, second, late} {
		require.Same(t, pic, outs[i].Picture)
		require.EqualError(t, outs[i].Err, "packet loss")
		require.Nil(t, outs[i].Frame.Image())
	}
	require.Equal(t, passes, p.passes, "the detector was asked about a picture that cannot be shown")
	require.Equal(t, generation, g.Generation(), "a picture of the old generation has shut the new one")
	p.err = nil
	require.Empty(t, r.Redact(next(t, g, 4, true)))
	require.Empty(t, r.Redact(next(t, g, 5, false)))
	outs = r.Redact(next(t, g, 6, false))
	require.Len(t, outs, 1)
	require.NoError(t, outs[0].Err)
}
