package bench

import (
	"errors"
	"sort"
	"time"

	"scrim/pipeline/measure"
	"scrim/transport"
)

// Clip is a video that cameras replay in a loop.
type Clip struct {
	Name          string
	Path          string
	Width, Height int
	// PTS are the times of its pictures in 90 kHz ticks, ascending from 0; the clip
	// repeats after Length.
	PTS    []int64
	Length int64
	// Delayed is how many pictures a decoder holds back to reorder them.
	Delayed int
	// Truth has the faces of each picture; nil if unknown.
	Truth []measure.TruthFrame
}

// FPS returns the picture rate.
func (c *Clip) FPS() float64 { return float64(len(c.PTS)) * transport.ClockRate / float64(c.Length) }

// SetTruth assigns the frames of a truth to the clip's pictures, by their times.
func (c *Clip) SetTruth(t *measure.Truth) error {
	frames := make([]measure.TruthFrame, len(c.PTS))
	step := float64(c.Length) / float64(len(c.PTS)) / transport.ClockRate
	for i, pts := range c.PTS {
		at := float64(pts) / transport.ClockRate
		k := sort.Search(len(t.Frames), func(k int) bool { return t.Frames[k].PTS >= at-step/2 })
		if k == len(t.Frames) || t.Frames[k].PTS > at+step/2 {
			return errors.New("truth lacks pictures of the video")
		}
		if t.Frames[k].Width != c.Width || t.Frames[k].Height != c.Height {
			return errors.New("truth is for a video of another size")
		}
		frames[i] = t.Frames[k]
	}
	c.Truth = frames
	return nil
}

// Schedule is when each picture of a camera is due.
type Schedule struct {
	Clip *Clip
	// Start is the capture time of the first picture.
	Start time.Time
}

// At returns the due time of picture n, counted over all rounds of the clip.
func (s *Schedule) At(n int) time.Time {
	t := int64(n/len(s.Clip.PTS))*s.Clip.Length + s.Clip.PTS[n%len(s.Clip.PTS)]
	return s.Start.Add(duration(t))
}

// First returns the number of the first picture that is due at t or later.
func (s *Schedule) First(t time.Time) int {
	if t.Before(s.Start) {
		return 0
	}
	length := duration(s.Clip.Length)
	round := int(t.Sub(s.Start) / length)
	n := round * len(s.Clip.PTS)
	return n + sort.Search(len(s.Clip.PTS), func(i int) bool { return !s.At(n + i).Before(t) })
}

// Number returns the number of the picture that was captured at t, or false if none
// is due within a quarter of a picture's duration.
func (s *Schedule) Number(t time.Time) (int, bool) {
	slack := duration(s.Clip.Length) / time.Duration(4*len(s.Clip.PTS))
	n := s.First(t.Add(-slack))
	return n, s.At(n).Sub(t).Abs() <= slack
}

// duration converts 90 kHz ticks to a Duration.
func duration(n int64) time.Duration {
	return time.Duration(n/transport.ClockRate)*time.Second + time.Duration(n%transport.ClockRate)*time.Second/transport.ClockRate
}
