package camera

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

// faceOf is a face of a track in the middle of a part of a picture of 64×48, in four
// columns and three rows.
func faceOf(track uint64, col, row int, height float64) geom.RegionRecord {
	x, y := 64*(float64(col)+0.5)/4, 48*(float64(row)+0.5)/3
	return geom.RegionRecord{Source: geom.Detected, Track: track, Face: geom.Box{X: x - height/2, Y: y - height/2, W: height, H: height}}
}

// shows has the redactor show a picture with faces, and perhaps report its sight.
func (r *rig) shows(id int, s *transport.Sight, faces ...geom.RegionRecord) {
	r.do(messageReceived{id, &ipc.Output{
		RedactedUnit: transport.RedactedUnit{Epoch: 1, PTS: 1, Key: true, Codec: "avc1.42c01f", Width: 64, Height: 48, State: transport.StateLive},
		Fence:        r.m.view.minFence, Record: &ipc.Record{Regions: faces}, Sight: s,
	}, []byte("picture")})
}

func grid4x3(size float64) *transport.Sight {
	s := &transport.Sight{Size: size, Need: 3, Proved: true, Cols: 4, Rows: 3, Tested: time.Unix(1_700_000_000, 0)}
	for range 12 {
		s.Parts = append(s.Parts, transport.SightPart{Size: size})
	}
	return s
}

func TestSightOfTheRedactorIsInTheStatus(t *testing.T) {
	r, id := bench(t)
	r.m.config.Detect.Size, r.m.config.Detect.Tiles = 640, true
	r.arrives(1, false, "connected")
	require.Nil(t, r.m.status.at(r.now).Sight)
	s := grid4x3(34)
	s.Why, s.Warning, s.Condition = "no such", "a\nb", &transport.Condition{Noise: 7}
	s.Parts[0].Faces = make([]uint32, transport.FaceSizeClasses) // it does not count
	s.Parts[0].Faces[0] = 5
	r.shows(id, s)
	got := r.m.status.at(r.now)
	want := grid4x3(34)
	want.Why, want.Warning, want.Condition, want.DetectSize, want.Tiles = transport.BlindOther, "a b", &transport.Condition{Noise: 7}, 640, true
	require.Equal(t, want, got.Sight)
	require.Equal(t, "a b", got.Warning)
	r.shows(id, nil)
	require.NotNil(t, r.m.status.at(r.now).Sight, "nothing new")
	r.end(id, errors.New("crash"))
	require.NotNil(t, r.m.status.at(r.now).Sight, "what was known stays")
}

func TestRiskyNeedIsAWarning(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	r.shows(id, grid4x3(2))
	require.Empty(t, r.m.status.at(r.now).Warning)
	s := grid4x3(2)
	s.Need = 24 // of 48 pixels
	r.shows(id, s)
	require.Equal(t, transport.RiskyNeedText, r.m.status.at(r.now).Warning)
	r.do(noticeChanged{"look"})
	require.Equal(t, transport.RiskyNeedText+"; look", r.m.status.at(r.now).Warning)
}

func TestSightOutsideItsBoundsEndsTheRedactor(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	s := grid4x3(34)
	s.Cols = 5
	r.shows(id, s)
	require.Equal(t, []int{id}, r.killed)
	require.Nil(t, r.m.status.at(r.now).Sight)
}

func TestFacesAreCountedByPartAndSizeOfEachTrack(t *testing.T) {
	r, id := bench(t)
	r.arrives(1, false, "connected")
	faces := func(part int) map[int]uint32 {
		out := map[int]uint32{}
		for class, n := range r.m.status.at(r.now).Sight.Parts[part].Faces {
			if n > 0 {
				out[transport.FaceSizes()[class]] = n
			}
		}
		return out
	}
	r.shows(id, nil, faceOf(1, 0, 0, 21))
	r.shows(id, grid4x3(34))
	require.Empty(t, faces(0), "the parts were not known")
	three := []geom.RegionRecord{faceOf(1, 0, 0, 21), faceOf(2, 0, 0, 22), faceOf(3, 3, 2, 9)}
	for range minPictures - 1 {
		r.shows(id, nil, three...)
	}
	require.Empty(t, faces(0), "what was found twice may be an error")
	r.shows(id, nil, three...)
	r.shows(id, nil, three...)
	require.Equal(t, map[int]uint32{20: 2}, faces(0), "each once")
	require.Equal(t, map[int]uint32{8: 1}, faces(11))
	r.shows(id, nil, faceOf(1, 0, 0, 33), faceOf(1, 1, 0, 33)) // it comes closer, and moves
	require.Equal(t, map[int]uint32{20: 2, 32: 1}, faces(0))
	require.Equal(t, map[int]uint32{32: 1}, faces(1))

	other := faceOf(9, 2, 1, 20)
	for _, source := range []geom.Source{geom.Tracked, geom.Held, geom.Moving, geom.Body, geom.Zone} {
		other.Source = source
		r.shows(id, nil, other)
	}
	other.Source, other.Track = geom.Detected, 0
	outside := faceOf(10, 4, 1, 20)
	r.shows(id, nil, other, outside)
	require.Empty(t, faces(6), "only what was found there")

	r.end(id, errors.New("crash"))
	r.pass(maxRestart)
	id = r.up()
	for range minPictures {
		r.shows(id, nil, faceOf(1, 0, 0, 21))
	}
	require.Equal(t, map[int]uint32{20: 3, 32: 1}, faces(0), "another redactor has tracks of its own")
}

func TestFacesAreForgottenAfterADayOrWithOtherPictures(t *testing.T) {
	var s sightReport
	now, track := time.Unix(1_700_000_000, 0).Truncate(time.Hour), uint64(0)
	show := func(width int, faces ...geom.RegionRecord) {
		o := &ipc.Output{Record: &ipc.Record{Regions: faces}, Sight: grid4x3(30)}
		for range minPictures {
			s.output(now, 1, &transport.RedactedUnit{Width: width, Height: 48}, o, &ipc.DetectConfig{})
		}
	}
	count := func() (n uint32) {
		for _, part := range s.at(now).Parts {
			for _, f := range part.Faces {
				n += f
			}
		}
		return n
	}
	for range 3 {
		track++
		show(64, faceOf(track, 1, 1, 20))
		now = now.Add(time.Hour)
	}
	require.EqualValues(t, 3, count())
	now = now.Add(dayLength - 3*time.Hour)
	require.EqualValues(t, 2, count(), "the first hour is gone")
	show(64, faceOf(3, 1, 1, 20))
	require.EqualValues(t, 2, count(), "that face was counted")
	show(64, faceOf(4, 1, 1, 20))
	require.EqualValues(t, 3, count())

	next := sightReport{}
	next.continueFrom(&s)
	s = next
	show(64)
	require.EqualValues(t, 3, count(), "other settings")
	show(128, faceOf(5, 1, 1, 20))
	require.EqualValues(t, 1, count(), "other pictures")
	for i := range uint64(3 * maxTracks) {
		show(128, faceOf(100+i, 1, 1, 20))
	}
	require.Len(t, s.faces.tracks, maxTracks, "memory is bounded")
	require.EqualValues(t, 1+3*maxTracks, count())
}
