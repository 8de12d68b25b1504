package camera

import (
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

const (
	hoursOfDay = int(dayLength / time.Hour)
	// minPictures is in how many pictures a face must be found until it counts: a detector
	// is wrong at times, but not about the same place.
	minPictures = 3
	// maxTracks bounds the faces that are remembered so that each counts once.
	maxTracks = 512
)

// sightReport joins what the redactor says of the camera's sight with the faces that it
// found in the last day.
type sightReport struct {
	last  *transport.Sight // without faces; nil: none yet
	faces faceCounts
}

// output notes a redactor's output, whose sight was checked. DetectSize and tiles are the
// detector's.
func (s *sightReport) output(now time.Time, process int, u *transport.RedactedUnit, o *ipc.Output, detect *ipc.DetectConfig) {
	if o.Sight != nil {
		r := *o.Sight
		r.Why, r.Warning, r.Tested = r.Why.Known(), oneLine(r.Warning), wallClock(r.Tested)
		r.DetectSize, r.Tiles = detect.Size, detect.Tiles
		r.Parts = make([]transport.SightPart, len(r.Parts))
		for i, p := range o.Sight.Parts {
			r.Parts[i].Size = p.Size
		}
		s.last = &r
	}
	if o.Record != nil && s.last != nil {
		s.faces.use(process, faceGrid{u.Width, u.Height, s.last.Cols, s.last.Rows})
		s.faces.add(now, o.Record.Regions)
	}
}

// continueFrom takes over the faces of a camera that has ended. They count only if its
// pictures stay the same.
func (s *sightReport) continueFrom(before *sightReport) {
	s.faces.grid, s.faces.hours = before.faces.grid, before.faces.hours
}

// at returns what is known, with the faces of the last day; nil: nothing.
func (s *sightReport) at(now time.Time) *transport.Sight {
	if s.last == nil {
		return nil
	}
	out := *s.last
	out.Parts = append([]transport.SightPart(nil), out.Parts...)
	if s.faces.grid.parts() == len(out.Parts) {
		for i := range out.Parts {
			out.Parts[i].Faces = s.faces.lastDay(now, i)
		}
	}
	return &out
}

// faceGrid divides pictures of a size into parts.
type faceGrid struct{ width, height, cols, rows int }

func (g faceGrid) parts() int { return g.cols * g.rows }

// part returns the number of the part in which the middle of a face is.
func (g faceGrid) part(f geom.Box) (int, bool) {
	x, y := f.X+f.W/2, f.Y+f.H/2
	if !(x >= 0 && y >= 0 && x < float64(g.width) && y < float64(g.height)) {
		return 0, false
	}
	return int(y/float64(g.height)*float64(g.rows))*g.cols + int(x/float64(g.width)*float64(g.cols)), true
}

// faceCounts counts faces by hour, part of the picture and size class. A face counts once
// in each part and class, however long it stays, from its third picture on. Its memory is bounded by the bounds of a
// transport.Sight.
type faceCounts struct {
	grid    faceGrid
	hours   [hoursOfDay]hourOfFaces
	process int // whose tracks these are
	tracks  map[uint64]*countedTrack
}

// hourOfFaces has the counts of an hour, by part and class.
type hourOfFaces struct {
	number int64 // since 1970
	counts []uint32
}

// countedTrack is in how many pictures a face was found, and where it was counted.
type countedTrack struct {
	seen     time.Time
	pictures int
	counted  [transport.MaxSightParts * transport.FaceSizeClasses / 64]uint64 // bits by part and class
}

// use forgets what does not belong to the pictures of a redactor.
func (f *faceCounts) use(process int, g faceGrid) {
	if g != f.grid {
		*f = faceCounts{grid: g}
	}
	if process != f.process || f.tracks == nil {
		f.process, f.tracks = process, make(map[uint64]*countedTrack)
	}
}

// add counts the faces that were found in a picture. Those that were only followed have no
// size that is known.
func (f *faceCounts) add(now time.Time, regions []geom.RegionRecord) {
	for i := range regions {
		r := &regions[i]
		if r.Source != geom.Detected || r.Track == 0 || !(r.Face.H > 0) {
			continue
		}
		if part, ok := f.grid.part(r.Face); ok {
			f.count(now, r.Track, part*transport.FaceSizeClasses+transport.FaceSizeClass(r.Face.H))
		}
	}
}

// count counts a track at an index of the counts, unless it was counted there.
func (f *faceCounts) count(now time.Time, track uint64, index int) {
	t := f.tracks[track]
	if t == nil {
		f.forgetOldest()
		t = &countedTrack{}
		f.tracks[track] = t
	}
	t.seen = now
	if t.pictures++; t.pictures < minPictures {
		return
	}
	word, bit := index/64, uint64(1)<<(index%64)
	if t.counted[word]&bit != 0 {
		return
	}
	t.counted[word] |= bit
	number := now.Unix() / int64(time.Hour/time.Second)
	h := &f.hours[number%int64(hoursOfDay)]
	if h.number != number || h.counts == nil {
		*h = hourOfFaces{number, make([]uint32, f.grid.parts()*transport.FaceSizeClasses)}
	}
	h.counts[index]++
}

// forgetOldest makes room for a track.
func (f *faceCounts) forgetOldest() {
	if len(f.tracks) < maxTracks {
		return
	}
	var oldest uint64
	var seen time.Time
	for track, t := range f.tracks {
		if seen.IsZero() || t.seen.Before(seen) {
			oldest, seen = track, t.seen
		}
	}
	delete(f.tracks, oldest)
}

// lastDay returns the counts of a part in the last day; nil: there are none.
func (f *faceCounts) lastDay(now time.Time, part int) (sums []uint32) {
	first := now.Unix()/int64(time.Hour/time.Second) - int64(hoursOfDay)
	for i := range f.hours {
		h := &f.hours[i]
		if h.counts == nil || h.number <= first {
			continue
		}
		for class, n := range h.counts[part*transport.FaceSizeClasses : (part+1)*transport.FaceSizeClasses] {
			if n == 0 {
				continue
			}
			if sums == nil {
				sums = make([]uint32, transport.FaceSizeClasses)
			}
			sums[class] += n
		}
	}
	return sums
}
