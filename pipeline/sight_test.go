package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/sight"
	"scrim/transport"
)

// reported is a sight that a test sets.
type reported struct{ report sight.Report }

func (r *reported) Report() sight.Report { return r.report }

// The worker counts the seconds of each reason, and calls those that it does not know
// other.
func TestReasonsOfTheSightAreThoseOfStatuses(t *testing.T) {
	for _, why := range sight.Whys() {
		require.Equal(t, transport.BlindReason(why), transport.BlindReason(why).Known())
	}
	require.Len(t, transport.BlindReasons(), len(sight.Whys())+1, "and other")
}

func TestSightIsReportedOnceASecondAndAtChanges(t *testing.T) {
	s := &reported{}
	n := sightNews{from: s}
	now := time.Unix(1_700_000_000, 0)
	require.Nil(t, n.next(now), "no picture yet")
	s.report = sight.Report{
		At: now, TestedAt: now, Proved: true, Size: 34, Painted: 30, Table: 34, Need: 48, Warning: "w", Condition: sight.Condition{Dark: 1, Noise: 2, Clipped: 0.5},
	}
	for _, y := range []float64{0, 0.5} {
		for _, x := range []float64{0, 0.25, 0.5} {
			s.report.Cells = append(s.report.Cells, sight.Cell{X: x, Y: y, Size: 10 * (x + y)})
		}
	}
	got := n.next(now)
	require.Equal(t, &transport.Sight{
		Size: 34, Painted: 30, Table: 34, Need: 48, Proved: true, Tested: now, Warning: "w", Condition: &transport.Condition{Dark: 1, Noise: 2, Clipped: 0.5},
		Cols: 3, Rows: 2, Parts: []transport.SightPart{{Size: 0}, {Size: 2.5}, {Size: 5}, {Size: 5}, {Size: 7.5}, {Size: 10}},
	}, got)
	require.NoError(t, got.Check())
	s.report.Size = 33
	require.Nil(t, n.next(now.Add(sightInterval-1)))
	require.EqualValues(t, 33, n.next(now.Add(sightInterval)).Size)
	s.report.Proved, s.report.Why = false, sight.WhyTooDark
	require.Equal(t, transport.BlindDark, n.next(now.Add(sightInterval+1)).Why, "at once")
	s.report.Why = sight.WhyTooNoisy
	require.Equal(t, transport.BlindNoisy, n.next(now.Add(sightInterval+2)).Why)
	require.Nil(t, n.next(now.Add(sightInterval+3)))
	require.Nil(t, (&sightNews{}).next(now))
}

func TestSightIsSentWithOneOutput(t *testing.T) {
	obscurer, detector := newParts(t)
	var sent []ipc.Output
	p, err := New(Options{Camera: "door", Detector: detector, Tracker: newTracker(0), Obscurer: obscurer, Log: noLog,
		Sink: func(head ipc.Output, _ []byte) error { sent = append(sent, head); return nil }})
	require.NoError(t, err)
	p.sightNews.from = &reported{sight.Report{At: time.Unix(1, 0), Need: 48}}
	p.noteSight()
	o := newOutput(p)
	defer o.close()
	for range 2 {
		o.lastSlate = o.lastSlate.Add(-slateInterval)
		require.NoError(t, o.idle(p.now()))
	}
	require.Len(t, sent, 2)
	require.EqualValues(t, 48, sent[0].Sight.Need, "slates have it, too")
	require.Nil(t, sent[1].Sight)
}
