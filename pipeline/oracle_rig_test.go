package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/pipeline/ipc"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/worker/camera"
	"scrim/redact"
	"scrim/redact/face"
	"scrim/redact/geom"
	"scrim/redact/obscure"
	"scrim/redact/rules"
	"scrim/redact/track"
	"scrim/redact/yuv"
	"scrim/transport"
)

// oddity is how a part of the redactor misbehaves.
type oddity int

const (
	sound oddity = iota
	fails
	panics
	// blind finds no faces without an error, notNumbers returns NaN, adrift faces far
	// outside the picture.
	blind
	notNumbers
	adrift
	// loses returns no regions, late those of the previous picture, older those of
	// filmGroup/2 pictures earlier.
	loses
	late
	older
)

// knower is a detector that knows the true faces of a picture by its stamps, one in the
// upper left corner and one in the lower. If it can read neither it finds nothing, like
// the worst detector. One stamp would make it even worse: a flipped bit may decode well
// and change only the stamp, in about one film of a hundred, which would not blind a
// real detector. Loss damages both stamps.
type knower struct {
	films []*film

	mu     sync.Mutex
	does   oddity
	sees   bool // finds visible markers elsewhere, too
	calls  int
	gate   chan struct{} // not nil: every pass waits until it is closed
	inside chan struct{} // gets a token at every pass that waits
}

// see makes k find all visible markers, in addition to what it knows.
func (k *knower) see() { k.mu.Lock(); k.sees = true; k.mu.Unlock() }

func (k *knower) set(o oddity) { k.mu.Lock(); k.does = o; k.mu.Unlock() }

// hold makes passes wait until release is called.
func (k *knower) hold() (release func()) {
	g := make(chan struct{})
	k.mu.Lock()
	k.gate = g
	k.mu.Unlock()
	return sync.OnceFunc(func() {
		k.mu.Lock()
		k.gate = nil
		k.mu.Unlock()
		close(g)
	})
}

// truth returns the boxes of a picture by its number.
func (k *knower) truth(number uint32) []geom.Box {
	for _, f := range k.films {
		if i := int(number) - int(f.first); i >= 0 && i < len(f.boxes) {
			return f.boxes[i]
		}
	}
	return nil
}

func (k *knower) Detect(im *yuv.Image) ([]face.Face, error) {
	k.mu.Lock()
	does, sees, gate := k.does, k.sees, k.gate
	k.calls++
	k.mu.Unlock()
	if gate != nil {
		k.inside <- struct{}{}
		<-gate
	}
	var faces []face.Face
	s, err := stamptest.Read(im)
	if err != nil {
		foot := footOf(im)
		s, err = stamptest.Read(&foot)
	}
	if err == nil {
		for _, b := range k.truth(s.Number) {
			faces = append(faces, face.Face{Box: b, Score: 0.9})
		}
	}
	if sees {
		for _, r := range findMarkers(im) {
			faces = append(faces, face.Face{
				Box: geom.Box{X: float64(r.Min.X), Y: float64(r.Min.Y), W: float64(r.Dx()), H: float64(r.Dy())}, Score: 0.9,
			})
		}
	}
	switch does {
	case fails:
		return nil, errors.New("the network's output makes no sense: NaN")
	case panics:
		panic("detector broke")
	case blind:
		return nil, nil
	case notNumbers:
		for i := range faces {
			faces[i].Box.X = math.NaN()
		}
	case adrift:
		for i := range faces {
			faces[i].Box.X += 1e9
		}
	}
	return faces, nil
}
func (k *knower) Info() redact.DetectorInfo {
	return redact.DetectorInfo{Name: "truth", ModelSHA256: "abc"}
}
func (k *knower) Close() error { return nil }

// bare is the minimal tracker: it covers what was found in this very picture. It
// remembers nothing that could hide the absence of a rule.
type bare struct{ waiting [][]geom.Region }

func (b *bare) Lookahead() int { return 0 }
func (b *bare) Reset()         { b.waiting = nil }
func (b *bare) Observe(_ time.Time, faces []face.Face, _, _ int) {
	var out []geom.Region
	for i, f := range faces {
		out = append(out, geom.Region{
			Rect: f.Box.Pad(track.MinPadding, track.DefaultPaddingTop).Rect(), Face: f.Box, Score: f.Score, Source: geom.Detected,
			Track: uint64(i + 1), //nolint:gosec // small
		})
	}
	b.waiting = append(b.waiting, out)
}

func (b *bare) Release() []geom.Region {
	out := b.waiting[0]
	b.waiting = b.waiting[1:]
	return out
}

// oddTracker and oddObscurer misbehave as they are told.
type oddTracker struct {
	redact.Tracker
	mu   sync.Mutex
	does oddity
	past [][]geom.Region
}

func (o *oddTracker) set(d oddity) { o.mu.Lock(); o.does = d; o.mu.Unlock() }

func (o *oddTracker) Release() []geom.Region {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := append([]geom.Region(nil), o.Tracker.Release()...)
	o.past = append(o.past, now)
	ago := func(n int) []geom.Region { return o.past[max(len(o.past)-1-n, 0)] }
	switch o.does {
	case panics:
		panic("tracker broke")
	case loses:
		return nil
	case late:
		return ago(1)
	case older:
		return ago(filmGroup / 2)
	}
	return now
}

type oddObscurer struct {
	redact.Obscurer
	mu   sync.Mutex
	does oddity
}

func (o *oddObscurer) set(d oddity) { o.mu.Lock(); o.does = d; o.mu.Unlock() }

func (o *oddObscurer) Apply(im *yuv.Image, regions []geom.Region) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch o.does {
	case fails:
		return errors.New("obscurer broke")
	case panics:
		panic("obscurer broke")
	}
	return o.Obscurer.Apply(im, regions)
}

// shown is one output as a viewer receives it.
type shown struct {
	ipc.Output
	at     time.Duration // since the beginning, by the pipeline's clock
	number uint32        // by the stamp; 0: it cannot be read
	hits   []image.Rectangle
}

// show is a film on its way through a pipeline, and everything that came out.
type show struct {
	t        *testing.T
	p        *Pipeline
	time     *fakeTime
	rng      *rand.Rand
	film     *film
	spare    *film // with another size
	format   *film // with another SPS and the same size
	detector *knower
	tracker  *oddTracker
	obscurer *oddObscurer

	done chan error
	out  chan outcome
	dec  *decode.Decoder
	seen []shown

	next       int // of the film
	sent       map[uint32]time.Duration
	last       uint32 // the number of the newest picture that was sent
	idr        bool   // it is an IDR
	generation uint64
	cut        time.Duration // no picture that was sent before may be shown any more
	stale      []string
	pts        int64 // added to the film's
	lost       string
	// held is set while a part blocks: nothing can settle then.
	held bool
	// unbound is set if the fault is on the viewer's side.
	unbound bool
	// story is what viewers are told, struck when the first fault could be noticed;
	// 0: not yet. lose sets dueing, and the next unit shows the loss. shuts is when the
	// gate was shut.
	story   camera.StateHistory
	struck  time.Duration
	dueing  bool
	shuts   []time.Duration
	slow    int           // how many steps a picture takes
	sink    chan struct{} // not nil: the sink waits for it
	entered chan struct{} // gets a token when it does
	sinkMu  sync.Mutex
	self    error // of the self-test
	selfMu  sync.Mutex
}

// isSlate reports whether it shows no picture.
func (v *shown) isSlate() bool { return v.Record == nil }

// outcome is what the sink got, with the time.
type outcome struct {
	ipc.Output
	data []byte
	at   time.Duration
}

// showOptions say what a show is made of.
type showOptions struct {
	seed      uint64
	lookahead int
	bare      bool
	// films are those that the fault needs in addition to that of the seed.
	size, format bool
	// reorders: the film has B-frames, and hevc: in H.265.
	reorders, hevc bool
	// kind changes the film of the seed; nil: nothing.
	kind func(*filmKind)
	// parts changes the parts of the pipeline; nil: nothing.
	parts func(o *Options, k *knower)
	// slow makes the camera so many times slower; 0: as fast as it was filmed.
	slow int
}

func newShow(t *testing.T, o showOptions) *show {
	t.Helper()
	k := seedFilm(o.seed)
	k.reorders, k.hevc = o.reorders, o.hevc
	if o.kind != nil {
		o.kind(&k)
	}
	s := &show{
		t: t, slow: max(o.slow, 1), time: newFakeTime(), rng: rand.New(rand.NewPCG(o.seed, 5)), film: filmOf(t, k),
		done: make(chan error, 1), entered: make(chan struct{}, 1000), out: make(chan outcome, 10000), sent: map[uint32]time.Duration{},
	}
	s.detector = &knower{inside: make(chan struct{}, 1000), films: []*film{s.film}}
	if o.size {
		other := seedFilm(o.seed + 1)
		s.spare = filmOf(t, other)
		s.detector.films = append(s.detector.films, s.spare)
	}
	if o.format {
		k.format, k.number = true, k.number+10
		s.format = filmOf(t, k)
		s.detector.films = append(s.detector.films, s.format)
	}
	var inner redact.Tracker = track.NewWindow(track.Options{}, o.lookahead)
	if o.bare && o.lookahead == 0 {
		inner = &bare{}
	}
	obscurer, err := obscure.New(obscure.Options{Style: obscure.Veil})
	require.NoError(t, err)
	s.tracker, s.obscurer = &oddTracker{Tracker: inner}, &oddObscurer{Obscurer: obscurer}
	options := Options{
		Camera: "door", Epoch: 7, Detector: s.detector, Tracker: s.tracker, Obscurer: s.obscurer, Log: noLog,
		SelfTest: func(int, int) error { s.selfMu.Lock(); defer s.selfMu.Unlock(); return s.self },
		Sink: func(head ipc.Output, data []byte) error {
			s.sinkMu.Lock()
			wait := s.sink
			s.sinkMu.Unlock()
			at := s.since()
			if wait != nil {
				s.entered <- struct{}{}
				<-wait
			}
			s.out <- outcome{head, data, at}
			return nil
		},
	}
	if o.parts != nil {
		o.parts(&options, s.detector)
	}
	s.p, err = New(options)
	require.NoError(t, err)
	s.p.time, s.p.slateTick = s.time.timeline(), time.Millisecond
	s.generation = s.p.gate.Generation()
	s.dec, err = decode.New(decode.Options{})
	require.NoError(t, err)
	t.Cleanup(s.dec.Close)
	go func() { s.done <- s.p.Run(context.Background()) }()
	return s
}

// since is the pipeline's time since the beginning.
func (s *show) since() time.Duration {
	s.time.mu.Lock()
	defer s.time.mu.Unlock()
	return s.time.mono
}

// unit returns a unit of a film as it is sent now.
func (s *show) unit(f *film, i int) transport.CameraUnit {
	u := f.units[i]
	u.PTS = u.PTS*int64(s.slow) + s.pts
	now := s.time.timeline().now()
	u.Captured, u.Arrived = now, now
	return u
}

// play sends the next n units of the film, as they are.
func (s *show) play(n int) {
	for range n {
		s.send(s.unit(s.film, s.next), s.film.first+uint32(s.next)) //nolint:gosec // small
		s.next++
	}
}

// lose skips n units of the film; the next one says so when why is not empty.
func (s *show) lose(n int, why string) {
	for range n {
		s.next++
		s.pass()
	}
	s.lost, s.dueing = why, true
}

// send sends a unit with the picture of a number, and waits until the pipeline is done
// with it.
func (s *show) send(u transport.CameraUnit, number uint32) {
	if s.lost != "" {
		u.Gap, s.lost = transport.Gap{Kind: transport.GapLoss, Text: s.lost, Intact: true}, ""
	}
	s.last, s.idr = number, bytes.Contains(u.Data, []byte{0, 0, 1, 0x65})
	if u.Codec == transport.H265 {
		info, err := bitstream.Inspect(u.Codec, u.Data)
		s.idr = err == nil && info.Key
	}
	if _, again := s.sent[number]; !again {
		s.sent[number] = s.since()
	}
	if s.dueing && s.struck == 0 {
		s.struck = s.since()
	}
	s.hand(u)
	s.pass()
}

func (s *show) hand(u transport.CameraUnit) {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	require.NoError(s.t, s.p.Unit(ctx, u))
	// A unit without a picture is accepted when the previous one is done.
	delimiter := []byte{0, 0, 0, 1, 9, 0xf0}
	if u.Codec == transport.H265 {
		delimiter = []byte{0, 0, 0, 1, 0x46, 1, 0x50}
	}
	require.NoError(s.t, s.p.Unit(ctx, transport.CameraUnit{
		Codec: u.Codec, PTS: u.PTS, Captured: u.Captured, Arrived: u.Arrived, Data: delimiter,
	}))
}

// pass advances the time by one picture after everything has settled.
func (s *show) pass() {
	s.settle()
	for range s.slow {
		s.due()
		s.time.pass(filmStep)
		s.due()
	}
}

// settle waits until no stage has anything to do.
func (s *show) settle() {
	if s.held {
		return
	}
	for begun := time.Now(); !s.p.rests(); time.Sleep(50 * time.Microsecond) {
		require.Less(s.t, time.Since(begun), testTimeout, "the pipeline does not come to rest")
	}
	s.look(false)
	if generation := s.p.gate.Generation(); generation != s.generation {
		// Nothing sent before the gate was shut may be visible from here on.
		s.shuts = append(s.shuts, s.since())
		s.generation, s.cut = generation, s.sent[s.last]
		if !s.idr { // which may open it again, late where there is look-ahead
			s.cut++
		}
	}
}

// rests reports whether no picture and no slate is in the pipeline.
func (p *Pipeline) rests() bool {
	// In this order: a stage is done with a picture once the next one has it.
	return done(p.pictures) && done(p.frames) && p.busy[encodeStage].Load() == 0
}

func done[T any](q *queue[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.idle && len(q.items) == 0
}

func empty[T any](q *queue[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) == 0
}

// due waits for the slate if one is due now.
func (s *show) due() {
	for s.sink == nil {
		s.look(false)
		_, open, _ := s.p.gate.State()
		last, lastSlate := time.Duration(-1<<62), time.Duration(-1<<62)
		for i := len(s.seen) - 1; i >= 0 && lastSlate < 0; i-- {
			last = max(last, s.seen[i].at)
			if s.seen[i].isSlate() {
				lastSlate = s.seen[i].at
			}
		}
		stall := stallLimit(time.Duration(s.p.interval.Load()))
		h := s.p.hidden.Load()
		isHidden := h != nil && s.p.now().Sub(h.at) < stall
		if open && !isHidden && (last < 0 || s.since()-last < stall) || lastSlate >= 0 && s.since()-lastSlate < slateInterval {
			return
		}
		s.look(true)
	}
}

// slateTimeout is how long a slate that is due by the test's clock may take. A missing
// rule costs this time, so it is short.
var slateTimeout = func() time.Duration {
	if rules.Removable {
		return testTimeout / 5
	}
	return testTimeout
}()

// look views the output, as a viewer would; wait: at least one unit.
func (s *show) look(wait bool) {
	for {
		var o outcome
		if wait {
			select {
			case o = <-s.out:
			case <-time.After(slateTimeout):
				s.t.Fatalf("oracle: late: no slate comes at %v", s.since())
			}
		} else {
			select {
			case o = <-s.out:
			default:
				return
			}
		}
		wait = false
		s.view(o)
	}
}

func (s *show) view(o outcome) {
	if o.Seq == 1 { // of an epoch
		require.True(s.t, o.Key)
		s.dec.Close()
		var err error
		s.dec, err = decode.New(decode.Options{})
		require.NoError(s.t, err)
	}
	n := 0
	require.NoError(s.t, s.dec.Decode(o.data, int64(o.Seq), func(p decode.Picture) error { //nolint:gosec // small
		n++
		v := shown{Output: o.Output, at: o.at, hits: findMarkers(p.Image)}
		if st, err := stamptest.Read(p.Image); err == nil {
			v.number = st.Number
		}
		s.story.Note(transport.Event{Time: filmStart.Add(v.at), State: v.State, Fault: v.Fault, Reason: v.Reason})
		s.judge(&v)
		s.seen = append(s.seen, v)
		return nil
	}))
	require.Equal(s.t, 1, n, "an output without its picture")
}

// judge records what should not have been shown even though no face is visible.
func (s *show) judge(v *shown) {
	switch {
	case v.isSlate() && v.number != 0:
		s.stale = append(s.stale, fmt.Sprintf("slate at %v shows picture %d", v.at, v.number))
	case v.isSlate() || v.number == 0 || s.film.kind.reorders || s.film.kind.hevc: // units are not in the order of numbers
	case s.sent[v.number] < s.cut:
		s.stale = append(s.stale, fmt.Sprintf("picture %d at %v, from before the gate was shut", v.number, v.at))
	case v.at-s.sent[v.number] > redact.MaxInspectionAge && s.tracker.Lookahead() == 0:
		s.stale = append(s.stale, fmt.Sprintf("picture %d at %v, %v old", v.number, v.at, v.at-s.sent[v.number]))
	}
}

// end closes the pipeline and waits for what is left.
func (s *show) end() {
	s.p.Close()
	require.NoError(s.t, <-s.done)
	s.look(false)
}

// hits returns what the oracle has found.
func (s *show) hits() (marks int, first string) {
	for _, v := range s.seen {
		if marks += len(v.hits); len(v.hits) > 0 && first == "" {
			first = fmt.Sprintf("%v in picture %d at %v (%s)", v.hits, v.number, v.at, v.State)
		}
	}
	return marks, first
}
