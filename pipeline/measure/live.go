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

// maxApart is how far the capture time of a published picture may be from that in
// the truth. Sender reports and timestamps of 90 kHz cost some 20 µs; a picture
// that came before the first sender report has the time of its arrival, which is
// further off, and is told apart by that.
const maxApart = time.Millisecond

// Shown is what a camera has published at one time: a picture, or a slate in
// place of pictures.
type Shown struct {
	// Captured is the picture's time of capture, or when the slate was made.
	Captured      time.Time
	Width, Height int
	Slate         bool
	Regions       []Region
}

// ShownUnit returns what viewers are shown by a published unit.
func ShownUnit(u *transport.RedactedUnit) Shown {
	s := Shown{Captured: u.Captured, Width: u.Width, Height: u.Height, Slate: u.State != transport.StateLive}
	for _, r := range u.Regions {
		s.Regions = append(s.Regions, RegionOf(r))
	}
	return s
}

// Run is a live run of one camera.
type Run struct {
	Camera string
	// Truth is that of the run, with times of capture.
	Truth *Truth
	// Shown is all that was published, in any order.
	Shown []Shown
	// Lost units were published and did not come to who measures.
	Lost int
	// Cut means that the run went on, and Shown does not.
	Cut bool
}

// Live says what became of the frames of a run.
type Live struct {
	Camera string `json:"camera"`
	// Frames were drawn from the first published picture to the last unit. Each
	// was published, or is under a slate, or was dropped on the way.
	Frames      int `json:"frames"`
	Published   int `json:"published"`
	UnderSlates int `json:"frames_under_slates"`
	Dropped     int `json:"dropped"`
	// Slates were published, before the first picture too.
	Slates int `json:"slates"`
	// Unmatched pictures were published, but no frame of the truth was captured
	// when they were; they are not scored.
	Unmatched int `json:"unmatched"`
	// Lost units did not come to who measures; their frames count as dropped.
	Lost int `json:"lost"`
	// Cut means that the run went on for longer than can be scored.
	Cut bool `json:"cut,omitempty"`
}

// String says it in words.
func (l Live) String() string {
	s := fmt.Sprintf("%d frames: %d published, %d under slates (of which there were %d), %d dropped", l.Frames, l.Published, l.UnderSlates, l.Slates, l.Dropped)
	if l.Unmatched > 0 {
		s += fmt.Sprintf("; %d pictures are of no frame that is known: not scored", l.Unmatched)
	}
	if l.Lost > 0 {
		s += fmt.Sprintf("; %d units were lost on the way to here", l.Lost)
	}
	if l.Cut {
		s += "; CUT: the run was longer than can be scored, and this is its beginning"
	}
	return s
}

// ScoreLive scores what cameras have published against where the faces truly
// were. Pictures are matched by their time of capture. A frame that was never
// published exposes nobody: it is left out, and the picture before it lasts
// longer. A frame under a slate is obscured whole.
func ScoreLive(runs []Run, o Options) (*Result, error) {
	pairs, lives := make([]Pair, 0, len(runs)), make([]Live, 0, len(runs))
	for i := range runs {
		p, l, err := runs[i].pair()
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", runs[i].Camera, err)
		}
		pairs, lives = append(pairs, p), append(lives, l)
	}
	r, err := Score(pairs, o)
	if err != nil {
		return nil, err
	}
	r.Live = lives
	return r, nil
}

// pair makes a truth of the frames that viewers have seen something of, and a
// report of what that was.
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
			k++ // shown[k-1] is what viewers saw last
		}
		picture := pictures[i]
		begun = begun || picture != nil
		switch {
		case !begun, picture == nil && k == len(shown):
			continue // nothing was shown yet, or nothing is known any more
		case picture != nil:
			l.Published++
		case k > 0 && shown[k-1].Slate:
			l.UnderSlates++
			picture = &Shown{Width: t.Width, Height: t.Height, Regions: []Region{
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
			Frame: t.Frame, PTS: t.PTS, Width: picture.Width, Height: picture.Height, Regions: picture.Regions, Line: len(p.Report.Frames) + 1,
		})
	}
	return p, l, nil
}

// match finds the frame of every published picture, by index. Of two pictures for
// a frame the closer one is taken.
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

// nothing says why there is nothing to score.
func (r *Run) nothing(l *Live) error {
	switch {
	case l.Unmatched > 0:
		return fmt.Errorf("none of %d pictures was captured when a frame of %s was; is that the truth of this camera, written as it ran?", l.Unmatched, r.Truth.Path)
	case l.Slates > 0:
		return fmt.Errorf("it has shown slates only, %d of them", l.Slates)
	}
	return errors.New("it has published nothing; is its name right, and does it run?")
}

// live checks that times of capture are known and grow.
func (t *Truth) live() error {
	for i := range t.Frames {
		switch f := &t.Frames[i]; {
		case f.Captured.IsZero():
			return fmt.Errorf("%s: the frame has no time of capture; scrim-camera --truth writes it while it serves, not with --record", place(t.Path, f.Line))
		case i > 0 && !f.Captured.After(t.Frames[i-1].Captured):
			return fmt.Errorf("%s: the time of capture goes back; the clock was set", place(t.Path, f.Line))
		}
	}
	return nil
}

// ReadLiveTruth reads a truth that may be written at the same time: of one camera,
// and what was captured from one time to another. A last line that is not whole
// yet is left out.
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
		return nil, fmt.Errorf("%s: it is of several cameras, %q and %q; a live truth is of one", path, truths[0].File, truths[1].File)
	}
	return truths[0], nil
}

// CheckLiveTruth reads the first line of what ReadLiveTruth will be given, so that
// what is no truth of a live camera is known before the run. There may be none yet.
func CheckLiveTruth(r io.Reader, path string) error {
	in := bufio.NewReaderSize(r, MaxLine+1)
	if stills(in) {
		return fmt.Errorf("%s: it is of labelled pictures; that of a live camera is written by scrim-camera --truth", path)
	}
	line, err := in.ReadSlice('\n')
	if errors.Is(err, io.EOF) && (len(line) == 0 || line[0] == '{') {
		return nil // it is not written yet
	}
	truths, err := readTruthLines(bytes.NewReader(line), path)
	if err != nil || len(truths) == 0 {
		return err
	}
	return truths[0].live()
}

// wholeLines reads lines that have ended.
type wholeLines struct {
	in   *bufio.Reader
	rest []byte
}

// Read implements io.Reader.
func (l *wholeLines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err := l.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) { // of which the reader of lines complains
			return 0, err
		}
		l.rest = line
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
