package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/pipeline/encode"
	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/redact/zone"
	"scrim/transport"
)

const (
	// pictureQueue and frameQueue bound the queues before redaction and before
	// encoding, in pictures. They only even out jitter: longer ones would add delay.
	pictureQueue = 2
	frameQueue   = 2
	// hangLimit is how long a stage may work on one picture before the process ends
	// itself: a cgo call cannot be cancelled.
	hangLimit = 4 * time.Second
	// hangWatch is the interval at which the stages are checked.
	hangWatch = hangLimit / 16
)

// ErrHung is wrapped by the error of a pipeline in which a stage does not return.
var ErrHung = errors.New("stage hung")

// Sink receives the output. It may keep the data.
type Sink func(head ipc.Output, data []byte) error

// Options configure a Pipeline.
type Options struct {
	Camera string
	// Epoch is the first epoch of the output.
	Epoch uint64
	// Detector, Tracker and Obscurer must not be used elsewhere until Run has
	// returned. The caller closes them.
	Detector redact.Detector
	Tracker  redact.Tracker
	Obscurer redact.Obscurer
	// SelfTest is redact.Options.SelfTest.
	SelfTest func(width, height int) error
	// Rotate is by how much the decoded pictures are turned: detector, zones and output
	// see them so.
	Rotate geom.Rotation
	// Zones are the zones of the camera.
	Zones []zone.Zone
	// Cover, WhenBlind, Sight and Background are those of redact.Options. They must not be
	// used elsewhere until Run has returned, either.
	Cover      redact.Cover
	WhenBlind  redact.WhenBlind
	Sight      redact.Sight
	Background redact.Background
	Encode     ipc.EncodeConfig
	// Sink is called from one goroutine at a time.
	Sink Sink
	// The functions below may be nil. They are called concurrently with Sink.
	//
	// PreparedSlates receives slates whenever the size of the output changes; see
	// the function PreparedSlates.
	PreparedSlates func(head ipc.PreparedSlate, data []byte) error
	// Heartbeat is called every ipc.HeartbeatInterval.
	Heartbeat func(b ipc.Heartbeat) error
	// Snapshots receives the JPEGs that Snapshot requests.
	Snapshots func(head ipc.Snapshot, data []byte) error

	Log *slog.Logger
}

// Pipeline redacts the access units of one camera. Unit, Input, Keyframe, Fence and
// Snapshot may be called from one goroutine while Run runs in another.
type Pipeline struct {
	o              Options
	gate           *redact.Gate
	redactor       *redact.Redactor
	pool           yuv.Pool
	units          chan transport.CameraUnit
	pictures       *queue[*job]
	frames         *queue[*job]
	keyframe       atomic.Bool
	snapshotWanted atomic.Bool
	snapshots      chan pendingSnapshot
	fence          atomic.Uint64
	overflow       overflow
	outputSize     chan slateSize // the latest
	inputSize      atomic.Uint64  // turned: width<<32 | height; 0: unknown
	interval       atomic.Int64   // between the camera's pictures, smoothed, ns
	counts         counts
	busy           [len(stageNames)]atomic.Int64 // when the stage began to work, Unix ns on the timeline; 0: idle
	time           *timeline
	selfTest       atomic.Pointer[ipc.SelfTest] // the last; nil: none
	hidden         atomic.Pointer[hidden]       // why the last picture is; nil: it is not
	sightNews      sightNews
	sight          atomic.Pointer[transport.Sight] // not sent yet; nil: nothing new

	// slateTick is the interval at which to check whether a slate is due. A test with a
	// faster clock may shorten it.
	slateTick time.Duration
	// newEncoder opens the encoders; a test may replace it.
	newEncoder openEncoder
}

// encoder is an encode.Encoder. It accepts only frames.
type encoder interface {
	Encode(f redact.Frame, pts int64, key bool) (encode.Unit, error)
	Codec() string
	Close()
}

// openEncoder opens one.
type openEncoder func(width, height int, o encode.Options) (encoder, error)

func newEncoder(width, height int, o encode.Options) (encoder, error) {
	return encode.New(width, height, o)
}

// counts are the ipc.Counts while several stages count.
type counts struct {
	unitsDropped, picturesDropped, picturesWithheld atomic.Uint64
}

func (c *counts) snapshot() ipc.Counts {
	return ipc.Counts{
		UnitsDropped:     c.unitsDropped.Load(),
		PicturesDropped:  c.picturesDropped.Load(),
		PicturesWithheld: c.picturesWithheld.Load(),
	}
}

// The stages that are watched.
const (
	decodeStage = iota
	redactStage
	encodeStage
	preparedStage // of prepared slates
)

var stageNames = [...]string{decodeStage: "decode", redactStage: "redact", encodeStage: "encode", preparedStage: "prepared slates"}

// New returns a Pipeline whose gate is shut until the first complete IDR.
func New(o Options) (*Pipeline, error) {
	if o.Sink == nil || o.Log == nil {
		return nil, errors.New("pipeline needs a sink and a log")
	}
	p := &Pipeline{
		o: o, gate: redact.NewGate(causeStarting), time: systemTimeline(),
		units:      make(chan transport.CameraUnit),
		pictures:   newQueue[*job](pictureQueue),
		frames:     newQueue[*job](frameQueue),
		slateTick:  slateInterval / 5,
		outputSize: make(chan slateSize, 1), snapshots: make(chan pendingSnapshot, 1), newEncoder: newEncoder,
	}
	p.sightNews.from, _ = o.Sight.(sightReporter)
	var err error
	p.redactor, err = redact.New(redact.Options{
		Camera: o.Camera, Gate: p.gate, Detector: o.Detector, Tracker: o.Tracker, Obscurer: o.Obscurer, Zones: o.Zones,
		Cover: o.Cover, WhenBlind: o.WhenBlind, Sight: o.Sight, Background: o.Background,
		SelfTest: p.selfTester(), Now: p.now,
	})
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", o.Camera, err)
	}
	return p, nil
}

// selfTester returns the self-test. It restarts the stage's hangLimit, so that the
// picture after it has the full time.
func (p *Pipeline) selfTester() func(width, height int) error {
	if p.o.SelfTest == nil {
		return nil
	}
	return func(width, height int) error {
		defer p.enter(redactStage)
		return p.o.SelfTest(width, height)
	}
}

// now returns the time on the pipeline's timeline.
func (p *Pipeline) now() time.Time { return p.time.now() }

// Unit passes one access unit of the camera to the decoder. It blocks while the
// decoder is busy, so that units pile up in the worker, which may drop them.
func (p *Pipeline) Unit(ctx context.Context, u transport.CameraUnit) error {
	select {
	case p.units <- u:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Input reports why no units come; the slate shows it.
func (p *Pipeline) Input(reason string) { p.gate.Shut(cause(transport.FaultCamera, reason)) }

// Keyframe requests a key frame. Requests before it is coded are merged.
func (p *Pipeline) Keyframe() { p.keyframe.Store(true) }

// Fence requests a key frame and marks every output whose coding begins from now on
// with the barrier number.
func (p *Pipeline) Fence(number uint64) {
	p.fence.Store(number)
	p.keyframe.Store(true)
}

// Close ends the input. Run then sends what is left and returns.
func (p *Pipeline) Close() { close(p.units) }

// Run redacts until Close was called and everything is sent, ctx is done, or a stage
// fails for good. If the error wraps ErrHung a stage is still inside C code and holds
// its resources: the process must end.
func (p *Pipeline) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.runDecode(ctx) })
	g.Go(func() error { return p.runRedact(ctx) })
	g.Go(func() error { return p.runEncode(ctx) })
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	var helpers sync.WaitGroup
	helpers.Go(func() { p.sendHeartbeats(ctx) })
	helpers.Go(func() { p.runPreparedSlates(ctx) })
	helpers.Go(func() { p.runSnapshots(ctx) })
	err := p.watch(done)
	cancel()
	if !errors.Is(err, ErrHung) {
		ended := make(chan error, 1)
		go func() {
			helpers.Wait()
			ended <- nil
		}()
		if hung := p.watch(ended); hung != nil {
			err = errors.Join(err, hung)
		}
	}
	if err != nil {
		return fmt.Errorf("camera %s: %w", p.o.Camera, err)
	}
	return nil
}

// sendHeartbeats reports that the process is alive, and what may keep it from sending.
func (p *Pipeline) sendHeartbeats(ctx context.Context) {
	if p.o.Heartbeat == nil {
		return
	}
	tick := time.NewTicker(ipc.HeartbeatInterval)
	defer tick.Stop()
	for {
		var b ipc.Heartbeat
		if since := p.busy[encodeStage].Load(); since != 0 {
			b.Encoding = max(1, p.now().UnixNano()-since)
		}
		if p.o.Heartbeat(b) != nil {
			return // the worker is gone, as the sink finds out, too
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// watch waits for the stages to end or for one to hang. It is not part of a stage,
// because any of them may hang.
func (p *Pipeline) watch(done <-chan error) error {
	tick := time.NewTicker(hangWatch)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			if err := p.hung(p.now()); err != nil {
				return err
			}
		}
	}
}

// enter and leave mark a stage as working on a picture. Time in a Sink that blocks
// does not count: then the worker is slow, or gone, which ends the Sink.
func (p *Pipeline) enter(stage int) { p.busy[stage].Store(p.now().UnixNano()) }
func (p *Pipeline) leave(stage int) { p.busy[stage].Store(0) }

// hung returns an error if a stage has worked on one picture for too long.
func (p *Pipeline) hung(now time.Time) error {
	for stage := range p.busy {
		since := p.busy[stage].Load()
		if since != 0 && now.Sub(time.Unix(0, since)) > hangLimit {
			return fmt.Errorf("%s: %w for more than %v; the process must be restarted", stageNames[stage], ErrHung, hangLimit)
		}
	}
	return nil
}
