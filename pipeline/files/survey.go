package files

import (
	"context"
	"errors"
	"io"
	"time"

	"scrim/pipeline/decode"
	"scrim/redact"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

const (
	// surveyLooks is how many pictures of a video a survey looks at, at most, and
	// surveyInterval how far apart a Background is told that they are: they count as one
	// piece of video of less than their true duration.
	surveyLooks    = 44
	surveyInterval = 250 * time.Millisecond
	// minSurveyed is the least duration of a video that is surveyed. In a shorter one
	// people who stand still for a moment would become background.
	minSurveyed = surveyLooks * surveyInterval
)

// survey is the Sight of a video. Once a background is needed and none is known it lets
// the background be learned from pictures of the whole video, so that it is known from
// the first picture on.
type survey struct {
	redact.Sight
	background *knownBackground
	// always is set if the background is needed in every picture, not only in those in
	// which the detector does not see.
	always bool
	// learn learns the background as if before the time at.
	learn func(at time.Time) error
	done  bool
}

// Judge implements redact.Sight. It may use the detector before the picture's own pass.
func (s *survey) Judge(at time.Time, im *yuv.Image) (redact.Verdict, error) {
	v, err := s.Sight.Judge(at, im)
	if err != nil || s.done || s.background.known || v.Proved && !s.always {
		return v, err
	}
	s.done = true
	if err := s.learn(at); err != nil {
		// The pictures are redacted as live, with what is learned from them.
		s.background.Reset()
	}
	s.Reset() // it has judged other pictures
	return s.Sight.Judge(at, im)
}

// knownBackground is a Background that notes whether it is known.
type knownBackground struct {
	redact.Background
	known bool
}

// Observe implements redact.Background.
func (k *knownBackground) Observe(at time.Time, im *yuv.Image, s redact.Seen) (redact.Motion, error) {
	m, err := k.Background.Observe(at, im, s)
	k.known = err == nil && m.Known
	return m, err
}

// Reset implements redact.Background.
func (k *knownBackground) Reset() {
	k.Background.Reset()
	k.known = false
}

// noBackground is the Background of an image, in which nothing moves.
type noBackground struct{}

// Observe implements redact.Background.
func (noBackground) Observe(time.Time, *yuv.Image, redact.Seen) (redact.Motion, error) {
	return redact.Motion{Why: unknownBackground}, nil
}

// Reset implements redact.Background.
func (noBackground) Reset() {}

// surveyed returns the options for the video at path: with a Sight that surveys it, if a
// background may be needed.
func (r *Redactor) surveyed(ctx context.Context, path string) Options {
	o := r.o
	if o.Sight == nil || o.Background == nil {
		return o
	}
	needed := o.Cover == redact.CoverMotion || o.Cover == redact.CoverPeople
	if !needed && o.WhenBlind != redact.BlindMotion && o.WhenBlind != "" {
		return o
	}
	b := &knownBackground{Background: o.Background}
	o.Background = b
	o.Sight = &survey{
		Sight: r.o.Sight, background: b, always: needed,
		learn: func(at time.Time) error { return r.learnFrom(ctx, path, b, at) },
	}
	return o
}

// learnFrom lets b learn the background from pictures of the whole video at path, as if
// they had come before the time at.
func (r *Redactor) learnFrom(ctx context.Context, path string, b *knownBackground, at time.Time) error {
	seen, err := r.sweep(ctx, path, b, at, 0)
	if err != nil || b.known || seen < minSurveyed {
		return err
	}
	// The detector sees in a part of the video only: that has to suffice.
	every := seen / surveyLooks
	if every < surveyInterval {
		return nil
	}
	_, err = r.sweep(ctx, path, b, at, every)
	return err
}

// sweep shows b up to surveyLooks pictures of the video at path in which the detector
// sees, at intervals of every; 0: as they result from the duration of the video. It
// returns for how long of the video the detector sees.
func (r *Redactor) sweep(ctx context.Context, path string, b *knownBackground, at time.Time, every time.Duration) (seen time.Duration, err error) {
	var pool yuv.Pool
	in, err := decode.OpenFile(path, decode.FileOptions{Rotate: r.o.Rotate, Pool: &pool})
	if err != nil {
		return 0, err
	}
	defer in.Close()
	i := in.Info()
	tick := i.TimeBase.Float64()
	if every == 0 {
		duration := time.Duration(float64(i.Frames) / i.Rate.Float64() * float64(time.Second))
		if i.Frames > 0 && duration < minSurveyed {
			return 0, nil
		}
		every = max(duration/surveyLooks, surveyInterval)
	}
	stop := r.heartbeat(i.Frames)
	defer stop()
	b.Reset()
	r.o.Sight.Reset()
	var zones *zone.Set
	var next time.Duration
	complete := false
	for looks := 0; looks < surveyLooks && !b.known; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		p, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		complete = p.Damage == "" && (complete || p.Key)
		if place := fileTime(p.PTS, tick); complete && place >= next {
			if zones == nil {
				zones = zone.Compile(r.o.Zones, p.Image.Width, p.Image.Height)
			}
			sees, err := r.look(p.Image, time.Unix(0, 0).Add(place), at.Add(-time.Duration(surveyLooks-looks)*surveyInterval), b, zones)
			if err != nil {
				return 0, err
			}
			if sees {
				looks++
				seen += every
			}
			if next += every; next < place { // the time stamps jump
				next = place + every
			}
		}
		pool.Put(p.Image)
	}
	return seen, nil
}

// look lets b learn from one picture, as if it were of the time virtual, if the detector
// sees in it.
func (r *Redactor) look(im *yuv.Image, place, virtual time.Time, b redact.Background, zones *zone.Set) (sees bool, err error) {
	v, err := r.o.Sight.Judge(place, im)
	if err != nil || !v.Proved {
		return false, err
	}
	faces, err := r.o.Detector.Detect(im)
	if err != nil {
		return false, err
	}
	_, err = b.Observe(virtual, im, redact.Seen{Faces: zones.Filter(faces), Learn: true, Wanted: true})
	return true, err
}
