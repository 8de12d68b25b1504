package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/trace"
	"scrim/pipeline/ipc"
	"scrim/pipeline/measure"
	"scrim/redact/geom"
	"scrim/transport"
)

// start is an arbitrary time.
var start = time.Unix(1_700_000_000, 0)

// evenClip has 10 pictures a second.
func evenClip(frames int) *Clip {
	c := &Clip{Name: "even", Width: 320, Height: 180, Length: int64(frames) * transport.ClockRate / 10}
	for i := range frames {
		c.PTS = append(c.PTS, int64(i)*transport.ClockRate/10)
	}
	return c
}

func TestPicturesAreIdentifiedByTheirDueTime(t *testing.T) {
	s := &Schedule{Clip: evenClip(10), Start: start}
	for _, n := range []int{0, 1, 9, 10, 25, 12345} {
		require.Equal(t, start.Add(time.Duration(n)*100*time.Millisecond), s.At(n))
		got, ok := s.Number(s.At(n).Add(20 * time.Microsecond))
		require.True(t, ok)
		require.Equal(t, n, got)
		got, ok = s.Number(s.At(n).Add(-20 * time.Microsecond))
		require.True(t, ok)
		require.Equal(t, n, got)
	}
	_, ok := s.Number(s.At(7).Add(50 * time.Millisecond))
	require.False(t, ok, "halfway between two pictures is none of them")
	require.Equal(t, 3, s.First(s.At(2).Add(1)))
}

// sent returns the trace line of picture n, which arrived a millisecond after it was
// due and was published late after it was due.
func sent(s *Schedule, n int, late time.Duration) *trace.Line {
	due := s.At(n)
	return &trace.Line{
		Camera: "a", Captured: due.UnixNano(), Arrived: due.Add(time.Millisecond).UnixNano(), Published: due.Add(late).UnixNano(),
		Width: 320, Height: 180,
		Stages: &ipc.Stages{Queue: int64(time.Millisecond), Decode: int64(2 * time.Millisecond), Wait: int64(time.Millisecond), Detect: int64(3 * time.Millisecond)},
	}
}

func TestStagesOfAPictureAddUp(t *testing.T) {
	s := &Schedule{Clip: evenClip(10), Start: start}
	l := sent(s, 5, 12*time.Millisecond)
	seen := []Seen{{Captured: s.At(5), First: s.At(5).Add(13 * time.Millisecond), Last: s.At(5).Add(15 * time.Millisecond)}}
	y := NewDelivery(s, []*trace.Line{l}, seen, true, Window{s.At(5), s.At(6)})
	require.Equal(t, []int{1, 1, 1}, []int{y.In, y.Out, y.Seen})
	for name, want := range map[string]time.Duration{
		Arrive: 1, Decode: 2, Wait: 2, Detect: 3, Publish: 4, Gateway: 1, Viewer: 2, Added: 11, AddedViewer: 14, Published: 12, Viewed: 15,
	} {
		require.InDelta(t, float64(want), QuantilesOf(y.Histograms[name]).P50, 0.02, name)
	}
}

// A system that stalls for two seconds drops 20 pictures of 100. No picture that it
// sent took longer than 10 ms.
func TestLostPicturesCountWithTheTimeUntilTheNextOne(t *testing.T) {
	s := &Schedule{Clip: evenClip(100), Start: start}
	var lines []*trace.Line
	for n := range 100 {
		if n < 40 || n >= 60 {
			lines = append(lines, sent(s, n, 10*time.Millisecond))
		}
	}
	y := NewDelivery(s, lines, nil, false, Window{s.At(0), s.At(100)})
	require.Equal(t, 100, y.In)
	require.Equal(t, 80, y.Out)
	added := y.Histograms[Added]
	require.EqualValues(t, 100, added.TotalCount())
	q := QuantilesOf(added)
	require.InDelta(t, 9, q.P50, 0.1)
	require.InDelta(t, 2009, q.Max, 3, "picture 40 was made up for by picture 60, two seconds later")
	require.InDelta(t, 1509, q.P95, 3, "the 95th of a hundred is the sixth longest wait")
	require.EqualValues(t, 80, y.Histograms[Decode].TotalCount(), "stages hold only processed pictures")
}

func TestPicturesLostAtTheEndCountUntilTheEnd(t *testing.T) {
	s := &Schedule{Clip: evenClip(100), Start: start}
	y := NewDelivery(s, []*trace.Line{sent(s, 0, 10*time.Millisecond)}, nil, true, Window{s.At(0), s.At(50)})
	require.Equal(t, []int{50, 1, 0}, []int{y.In, y.Out, y.Seen})
	require.InDelta(t, 4900, QuantilesOf(y.Histograms[Added]).Max, 10)
	require.EqualValues(t, 50, y.Histograms[Viewed].TotalCount(), "the viewer saw nothing")
}

func TestPicturesOutsideTheWindowAndSlatesDoNotCount(t *testing.T) {
	s := &Schedule{Clip: evenClip(10), Start: start}
	var lines []*trace.Line
	for n := range 40 { // four rounds
		lines = append(lines, sent(s, n, 5*time.Millisecond))
	}
	lines = append(lines, &trace.Line{Camera: "a", Slate: "starting", Published: s.At(20).UnixNano()}, sent(s, 25, 7*time.Millisecond))
	y := NewDelivery(s, lines, nil, false, Window{s.At(15), s.At(35)})
	require.Equal(t, []int{20, 20, 1}, []int{y.In, y.Out, y.Slates}, "a picture that was sent twice counts once")
	shown := y.Shown()
	require.Equal(t, 15, shown[0].Number)
	require.Equal(t, 34, shown[19].Number)
}

func TestPicturesOfARealCameraAreDueAtTheirCaptureTime(t *testing.T) {
	s := &Schedule{Clip: evenClip(10), Start: start}
	y := NewDelivery(nil, []*trace.Line{sent(s, 3, 8*time.Millisecond), sent(s, 1, 8*time.Millisecond)}, nil, false, Window{s.At(0), s.At(10)})
	require.Equal(t, []int{2, 2}, []int{y.In, y.Out})
	require.InDelta(t, 7, QuantilesOf(y.Histograms[Added]).Max, 0.1)
}

func TestFaceWithoutARegionIsALeak(t *testing.T) {
	c := evenClip(10)
	for n := range 10 {
		c.Truth = append(c.Truth, measure.TruthFrame{
			Frame: n, Width: 320, Height: 180,
			Faces: []measure.TrueFace{{Person: 1, Box: geom.Box{X: 100, Y: 50, W: 40, H: 50}, Visible: 1}},
		})
	}
	var shown []Shown
	for n := 8; n < 28; n++ { // over three rounds; 15 was dropped
		if n == 15 {
			continue
		}
		p := Shown{Number: n, Width: 320, Height: 180}
		if n != 12 && n != 13 {
			p.Regions = []geom.RegionRecord{{X: 90, Y: 40, W: 60, H: 70, Source: geom.Detected}}
		}
		shown = append(shown, p)
	}
	l, err := FindLeaks([]measure.Pair{Pair("a", c, shown)}, measure.CoverFaces)
	require.NoError(t, err)
	require.Equal(t, []int{19, 19, 2, 2}, []int{l.Frames, l.Faces, l.Exposed, l.LongestRun})
	require.Equal(t, [2]int{12, 13}, [2]int{l.Runs[0].First, l.Runs[0].Last})

	none, err := FindLeaks(nil, measure.CoverFaces)
	require.NoError(t, err)
	require.Nil(t, none)
}

func TestTruthOfAFileIsMatchedByTime(t *testing.T) {
	c := evenClip(3)
	truth := &measure.Truth{}
	for n := range 3 {
		truth.Frames = append(truth.Frames, measure.TruthFrame{Frame: n, PTS: float64(n) / 10, Width: 320, Height: 180})
	}
	require.NoError(t, c.SetTruth(truth))
	require.Equal(t, 2, c.Truth[2].Frame)
	truth.Frames = truth.Frames[:2]
	require.ErrorContains(t, c.SetTruth(truth), "lacks pictures")
	truth.Frames[0].Width = 640
	require.ErrorContains(t, c.SetTruth(truth), "another size")
}
