package streaminfo

import (
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
)

// sps is of 352x288, 15 pictures/s, High (a test vector of mediacommon).
var sps = []byte{
	0x67, 0x64, 0x00, 0x0c, 0xac, 0x3b, 0x50, 0xb0, 0x4b, 0x42, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x3d, 0x08,
}

// feed sends pictures of one packet a slice, so many ticks apart.
type feed struct {
	m   *Meter
	seq uint16
	ts  uint32
	at  time.Time
}

func newFeed(codec string) *feed {
	return &feed{m: NewMeter(codec), seq: 65_530, ts: 1<<32 - 9000, at: time.Unix(1_700_000_000, 0)}
}

func (f *feed) packet(marker bool, payload ...byte) {
	f.m.Push(&rtp.Packet{Header: rtp.Header{SequenceNumber: f.seq, Timestamp: f.ts, SSRC: 1, Marker: marker}, Payload: payload}, f.at)
	f.seq++
}

// step goes on to the next picture, of a camera with 20 a second.
func (f *feed) step() { f.ts += 4500; f.at = f.at.Add(50 * time.Millisecond) }

var (
	sliceI = []byte{0x65, 0x88, 0x80}       // IDR, first_mb 0, I
	sliceP = []byte{0x41, 0x9a, 0x80}       // first_mb 0, P
	sliceB = []byte{0x01, 0x9e, 0x80}       // first_mb 0, B
	fuB    = []byte{0x1c, 0x81, 0x9e, 0x80} // the same as the first fragment
)

func TestUsualCamera(t *testing.T) {
	f := newFeed("H264")
	for n := range 41 {
		if n%10 == 0 {
			f.packet(false, sps...)
			f.packet(true, sliceI...)
		} else {
			f.packet(false, sliceP...)
			f.packet(true, 0x41, 0x42, 0x80)
		}
		f.step()
	}
	f.packet(true, sliceP...) // ends the picture before
	s := f.m.Result()
	require.Equal(t, 41, s.Pictures)
	require.InDelta(t, 20, s.FPS, 0.01)
	require.InDelta(t, 20, s.TimestampFPS, 0.01)
	require.Equal(t, 10, s.GOP)
	require.InDelta(t, 0.5, s.GOPSeconds, 0.001)
	require.Equal(t, 5, s.KeyFrames)
	require.Equal(t, 2, s.Slices)
	require.Equal(t, [2]int{352, 288}, [2]int{s.Width, s.Height})
	require.Equal(t, "High", s.Profile)
	require.Equal(t, "1.2", s.Level)
	require.True(t, s.InBand)
	require.False(t, s.BFrames || s.Reordered || s.MarkerWithin)
	require.Zero(t, s.Lost+s.Late)
	require.Equal(t, 1, s.Sources)
	require.Positive(t, s.Bitrate)
}

func TestOddCameras(t *testing.T) {
	for name, test := range map[string]struct {
		feed func(f *feed)
		want func(s *Stream) bool
	}{
		"B slices":       {func(f *feed) { f.packet(true, sliceB...) }, func(s *Stream) bool { return s.BFrames }},
		"B in fragments": {func(f *feed) { f.packet(false, fuB...); f.packet(true, 0x1c, 0x41, 1) }, func(s *Stream) bool { return s.BFrames && s.Slices == 1 }},
		"out of display order": {func(f *feed) {
			f.ts += 9000
			f.packet(true, sliceP...)
			f.ts -= 4500
			f.packet(true, sliceB...)
		}, func(s *Stream) bool { return s.Reordered }},
		"markers on all slices": {func(f *feed) {
			f.packet(true, sliceP...)
			f.packet(true, 0x41, 0x42, 0x80)
		}, func(s *Stream) bool { return s.MarkerWithin && s.Slices == 2 }},
		"aggregates": {func(f *feed) {
			p := append([]byte{24, 0, byte(len(sps))}, sps...)
			f.packet(true, append(append(p, 0, 3), sliceI...)...)
		}, func(s *Stream) bool { return s.Width == 352 && s.KeyFrames > 0 && s.InBand }},
		"loss": {func(f *feed) { f.seq += 3; f.packet(true, sliceP...) }, func(s *Stream) bool { return s.Lost > 0 && s.Lost%3 == 0 && s.Loss() > 0 }},
		"swapping": {func(f *feed) {
			f.seq++
			f.packet(false, sliceP...)
			f.seq -= 2
			f.packet(true, sliceP...)
			f.seq++
		}, func(s *Stream) bool { return s.Late > 0 && s.Lost == 0 }},
	} {
		f := newFeed("H264")
		for range 10 {
			test.feed(f)
			f.step()
		}
		s := f.m.Result()
		require.True(t, test.want(&s), "%s: %+v", name, s)
	}
}

func TestParameterSetsOfTheDescriptionHelp(t *testing.T) {
	s := NewMeter("H264", sps).Result()
	require.Equal(t, 352, s.Width)
	require.False(t, s.InBand)
	var p h264.SPS
	require.NoError(t, p.Unmarshal(s.SPS))
}

func TestMJPEGSaysItsSize(t *testing.T) {
	f := newFeed("JPEG")
	for range 3 {
		f.packet(false, 0, 0, 0, 0, 1, 60, 80, 60, 0, 0)
		f.packet(true, 0, 0, 4, 0, 1, 60, 80, 60, 0, 0)
		f.step()
	}
	s := f.m.Result()
	require.Equal(t, [3]int{640, 480, 2}, [3]int{s.Width, s.Height, s.Pictures})
}

func TestKeyFramesOfH265AreAllRandomAccessPoints(t *testing.T) {
	f := newFeed("H265")
	for n := range 9 {
		typ := byte(1)
		if n%4 == 0 {
			typ = 21 // CRA
		}
		f.packet(true, typ<<1, 1, 0x80, 0)
		f.step()
	}
	s := f.m.Result()
	require.Equal(t, [3]int{8, 2, 4}, [3]int{s.Pictures, s.KeyFrames, s.GOP})
}

// Key frames are at the pictures of keys, of 200 in all; loss comes before a picture.
func TestDistanceOfKeyFramesCountsWhatWasSeenWithoutOne(t *testing.T) {
	for name, c := range map[string]struct {
		keys    []int
		loss    int
		gop     int
		seconds float64
		atLeast bool
	}{
		"regular":                        {keys: []int{0, 40, 80, 120, 160}, gop: 40, seconds: 2},
		"greeted twice, and then never":  {keys: []int{0, 1}, gop: 199, seconds: 9.9, atLeast: true},
		"greeted, and then regular":      {keys: []int{0, 1, 2, 61, 121, 181}, gop: 60, seconds: 3},
		"one":                            {keys: []int{0}, gop: 200, seconds: 9.95, atLeast: true},
		"one, late":                      {keys: []int{150}, gop: 151, seconds: 7.5, atLeast: true},
		"joined within a group":          {keys: []int{30, 70, 110, 150, 190}, gop: 40, seconds: 2},
		"every picture":                  {keys: []int{196, 197, 198, 199}, gop: 197, seconds: 9.8, atLeast: true},
		"none":                           {},
		"greeted, and the rest is lossy": {keys: []int{0, 1}, loss: 100},
		"greeted, and two groups, one of them lossy": {keys: []int{0, 1, 100, 150}, loss: 50, gop: 50, seconds: 2.5},
		"greeted, and a lossy group":                 {keys: []int{0, 1, 190}, loss: 50, gop: 10, seconds: 0.45, atLeast: true},
		"regular, and the rest is lossy":             {keys: []int{0, 40, 80}, loss: 190, gop: 40, seconds: 2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed("H264")
			for n := range 200 {
				if c.loss > 0 && n == c.loss {
					f.seq++
				}
				if slices.Contains(c.keys, n) {
					f.packet(true, sliceI...)
				} else {
					f.packet(true, sliceP...)
				}
				f.step()
			}
			f.packet(true, sliceP...) // ends the last
			s := f.m.Result()
			require.Equal(t, len(c.keys), s.KeyFrames)
			require.Equal(t, c.gop, s.GOP)
			require.Equal(t, c.atLeast, s.GOPAtLeast)
			require.InDelta(t, c.seconds, s.GOPSeconds, 0.001)
			require.Equal(t, s, f.m.Result(), "asking changes nothing")
		})
	}
}

func TestClockIsThatOfSenderReports(t *testing.T) {
	m := NewMeter("H264")
	at := time.Unix(1_700_000_000, 0)
	m.Report(&rtcp.ReceiverReport{}, at)
	m.Report(&rtcp.SenderReport{}, at)
	s := m.Result()
	require.Equal(t, 1, s.Reports)
	require.False(t, s.ClockSet)
	m.Report(&rtcp.SenderReport{NTPTime: uint64(1_700_000_000+2208988800+5)<<32 | 1<<31}, at)
	s = m.Result()
	require.True(t, s.ClockSet)
	require.InDelta(t, 5.5, s.ClockAhead, 1e-6)
}

func FuzzMeter(f *testing.F) {
	f.Add("H264", sps, sliceB)
	f.Add("H264", append([]byte{24, 0, 21}, sps...), fuB)
	f.Add("H265", []byte{96, 1, 0, 3, 66, 1, 1}, []byte{98, 1, 0x93, 1})
	f.Add("JPEG", []byte{0, 0, 0, 0, 1, 1, 1, 1}, []byte{})
	f.Fuzz(func(t *testing.T, codec string, a, b []byte) {
		feed := newFeed(codec)
		feed.m = NewMeter(codec, a)
		for range 3 {
			feed.packet(false, a...)
			feed.packet(true, b...)
			feed.step()
		}
		s := feed.m.Result()
		require.LessOrEqual(t, s.Pictures, 3)
		require.GreaterOrEqual(t, s.Bitrate, 0)
	})
}
