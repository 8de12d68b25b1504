package measure

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"scrim/redact/geom"
	"scrim/transport"
)

// maxApart is the largest difference between the capture times of a picture in the run
// and in the truth. Sender reports and 90 kHz timestamps cost about 20 µs. A picture from
// before the first sender report has its time of arrival, which differs by more.
const maxApart = time.Millisecond

// Shown is a published picture or slate of a camera.
type Shown struct {
	// Captured is the picture's time of capture, or the slate's creation time.
	Captured      time.Time
	Width, Height int
	Slate         bool
	Regions       []Region
	// Blind is why it is not proved that the detector sees, if that is so.
	Blind string
}

// ShownUnit returns the picture or slate of a published unit.
func ShownUnit(u *transport.RedactedUnit) Shown {
	s := Shown{Captured: u.Captured, Width: u.Width, Height: u.Height, Slate: u.IsSlate()}
	if u.State == transport.StateBlind {
		s.Blind = u.Reason
	}
	for _, r := range u.Regions {
		s.Regions = append(s.Regions, RegionOf(r))
	}
	return s
}

// Run is a live run of one camera.
type Run struct {
	Camera string
	// Truth is the truth of the run, with times of capture.
	Truth *Truth
	// Shown is everything that was published, in any order.
	Shown []Shown
	// Lost counts published units that did not reach the measuring client.
	Lost int
	// Cut means that the run continued after the end of Shown.
	Cut bool
}

// Live counts what happened to the frames of a run.
type Live struct {
	Camera string `json:"camera"`
	// Frames counts those drawn from the first published picture to the last unit. Each
	// was published, was under a slate, or was dropped.
	Frames      int `json:"frames"`
	Published   int `json:"published"`
	UnderSlates int `json:"frames_under_slates"`
	Dropped     int `json:"dropped"`
	// Slates counts published slates, including those before the first picture.
	Slates int `json:"slates"`
	// Unmatched counts published pictures without a frame of the truth at their capture
	// time; they are not scored.
	Unmatched int `json:"unmatched"`
	// Lost counts units that did not reach the measuring client; their frames count as dropped.
	Lost int `json:"lost"`
	// Cut means that the run was longer than can be scored.
	Cut bool `json:"cut,omitempty"`
}

// String describes it in one line.
func (l Live) String() string {
	s := fmt.Sprintf("%d frames: %d published, %d under %d slates, %d dropped", l.Frames, l.Published, l.UnderSlates, l.Slates, l.Dropped)
	if l.Unmatched > 0 {
		s += fmt.Sprintf("; %d pictures match no frame and are not scored", l.Unmatched)
	}
	if l.Lost > 0 {
		s += fmt.Sprintf("; %d units were lost", l.Lost)
	}
	if l.Cut {
		s += "; CUT: the run was longer than can be scored; this is its beginning"
	}
	return s
}

// ScoreLive scores the published pictures of cameras against their truths. Pictures are
// matched by their time of capture. A frame that was not published exposes nobody: it is
// left out, and the picture before it lasts longer. A frame under a slate is fully
// obscured.
func ScoreLive(runs []Run, o Options) (*Result, error) {
	pairs, lives := make([]Pair, 0, len(runs)), make([]Live, 0, len(runs))
	if err := o.check(); err != nil {
		return nil, err
	}
	for i := range runs {
		run := runs[i]
		var err error
		if run.Truth, err = run.Truth.turned(o.Rotate); err != nil {
			return nil, err
		}
		p, l, err := run.pair()
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", runs[i].Camera, err)
		}
		pairs, lives = append(pairs, p), append(lives, l)
	}
	o.Rotate = geom.Upright // they are turned
	r, err := Score(pairs, o)
	if err != nil {
		return nil, err
	}
	r.Live = lives
	return r, nil
}

// pair returns the truth of the frames that viewers have seen, and the report of them.
func (r *Run) pair() (Pair, Live, error) {
	p := Pair{Truth: &Truth{Path: r.Truth.Path, File: r.Camera}, Report: &Report{Path: r.Camera, File: r.Camera}}
	l := Live{Camera: r.Camera, Lost: r.Lost, Cut: r.Cut}
	if err := r.Truth.live(); err != nil {
		return p, l, err
	}
	shown := slices.SortedStableFunc(slices.Values(r.Shown), func(a, b Shown) int { return a.Captured.Compare(b.Captured) })
	pictures := r.match(shown, &l)
	if len(pictures) == 0 {
		return p, l, r.nothing(&l)
	}
	for i, k, begun := 0, 0, false; i < len(r.Truth.Frames); i++ {
		t := r.Truth.Frames[i]
		for k < len(shown) && !shown[k].Captured.After(t.Captured) {
			k++ // shown[k-1] is the last that viewers saw
		}
		picture := pictures[i]
		begun = begun || picture != nil
		switch {
		case !begun, picture == nil && k == len(shown):
			continue // before the first or after the last unit
		case picture != nil:
			l.Published++
		case k > 0 && shown[k-1].Slate:
			l.UnderSlates++
			picture = &Shown{Width: t.Width, Height: t.Height, Blind: shown[k-1].Blind, Regions: []Region{
				{Box: geom.Box{W: float64(t.Width), H: float64(t.Height)}, Source: geom.Failsafe},
			}}
		default:
			l.Dropped++
		}
		l.Frames++
		if picture == nil {
			continue
		}
		p.Truth.Frames = append(p.Truth.Frames, t)
		p.Report.Frames = append(p.Report.Frames, ReportFrame{
			Frame: t.Frame, PTS: t.PTS, Width: picture.Width, Height: picture.Height, Regions: picture.Regions, Blind: picture.Blind, Line: len(p.Report.Frames) + 1,
		})
	}
	return p, l, nil
}

// match returns the frame of every published picture, by index. If two pictures match a
// frame, it is the closer one's.
func (r *Run) match(shown []Shown, l *Live) map[int]*Shown {
	frames := r.Truth.Frames
	apart := func(i int, s *Shown) time.Duration { return frames[i].Captured.Sub(s.Captured).Abs() }
	pictures := make(map[int]*Shown, len(shown))
	for k := range shown {
		s := &shown[k]
		if s.Slate {
			l.Slates++
			continue
		}
		i, _ := slices.BinarySearchFunc(frames, s.Captured, func(f TruthFrame, at time.Time) int { return f.Captured.Compare(at) })
		if i == len(frames) || i > 0 && apart(i-1, s) < apart(i, s) {
			i--
		}
		other := pictures[i]
		if i < 0 || apart(i, s) > maxApart || other != nil && apart(i, other) <= apart(i, s) {
			l.Unmatched++
			continue
		}
		if other != nil {
			l.Unmatched++
		}
		pictures[i] = s
	}
	return pictures
}

// nothing returns why there is nothing to score.
func (r *Run) nothing(l *Live) error {
	switch {
	case l.Unmatched > 0:
		return fmt.Errorf("none of %d pictures matches a frame of %s; check that it is the truth of this camera and this run", l.Unmatched, r.Truth.Path)
	case l.Slates > 0:
		return fmt.Errorf("published slates only, %d of them", l.Slates)
	}
	return errors.New("published nothing; check its name and that it runs")
}

// live checks that times of capture exist and increase.
func (t *Truth) live() error {
	for i := range t.Frames {
		switch f := &t.Frames[i]; {
		case f.Captured.IsZero():
			return fmt.Errorf("%s: frame without a time of capture; use the --truth file of a serving scrim-camera, not of --record", place(t.Path, f.Line))
		case i > 0 && !f.Captured.After(t.Frames[i-1].Captured):
			return fmt.Errorf("%s: time of capture goes back; the clock was set", place(t.Path, f.Line))
		}
	}
	return nil
}

// ReadLiveTruth reads the truth of one camera, limited to a span of capture times. The
// file may still be growing: an incomplete last line is left out.
func ReadLiveTruth(r io.Reader, path string, from, to time.Time) (*Truth, error) {
	truths, err := readSomeTruth(&wholeLines{in: bufio.NewReaderSize(r, MaxLine+1)}, path, func(f *TruthFrame) bool {
		return f.Captured.IsZero() || !f.Captured.Before(from.Add(-maxApart)) && !f.Captured.After(to.Add(maxApart))
	})
	switch {
	case err != nil:
		return nil, err
	case len(truths) == 0:
		return &Truth{Path: path}, nil
	case len(truths) > 1:
		return nil, fmt.Errorf("%s: truth of several cameras, %q and %q; a live truth must be of one", path, truths[0].File, truths[1].File)
	}
	return truths[0], nil
}

// CheckLiveTruth checks the first line of a live truth, so that a wrong file is reported
// before the run. The file may still be empty.
func CheckLiveTruth(r io.Reader, path string) error {
	in := bufio.NewReaderSize(r, MaxLine+1)
	if stills(in) {
		return fmt.Errorf("%s: truth of labelled pictures; a live run needs the file of scrim-camera --truth", path)
	}
	line, err := in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && (len(line) == 0 || line[0] == '{') {
		return nil // not written yet
	}
	truths, err := readTruthLines(bytes.NewReader(line), path)
	if err != nil || len(truths) == 0 {
		return err
	}
	return truths[0].live()
}

// wholeLines reads complete lines only.
type wholeLines struct {
	in   *bufio.Reader
	rest []byte
}

// Read implements io.Reader.
func (l *wholeLines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err := l.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) { // eachLine reports a line that is too long
			return 0, err
		}
		l.rest = line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
