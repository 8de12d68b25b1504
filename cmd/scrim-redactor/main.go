package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"scrim/pipeline"
	"scrim/pipeline/files"
	"scrim/pipeline/ipc"
	"scrim/pipeline/sandbox"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/detect"
	"scrim/redact/geom"
	"scrim/redact/motion"
	"scrim/redact/obscure"
	"scrim/redact/rules"
	"scrim/redact/selftest"
	"scrim/redact/sight"
	"scrim/redact/surface"
	"scrim/redact/track"
	"scrim/redact/zone"
)

func main() {
	if rules.Removable {
		fmt.Fprintln(os.Stderr, "scrim-redactor: built so that rules can be left out, which only tests may be; build it without the tag removable_rules")
		os.Exit(1)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := harden(); err != nil { // first: it executes the program again
		log.Warn("process protections are incomplete", "error", err)
	}
	if slices.Contains(os.Args[1:], ipc.SandboxCheckArg) {
		if err := json.NewEncoder(os.Stdout).Encode(sandbox.Confine(sandbox.Camera)); err != nil {
			os.Exit(1)
		}
		return
	}
	if fi, err := os.Stdin.Stat(); err == nil && fi.Mode()&os.ModeCharDevice != 0 {
		fmt.Fprintln(os.Stderr, "scrim-redactor: started by hand; it is a part of `scrim serve`, `scrim worker` and `scrim redact`, start one of those")
		os.Exit(1)
	}
	out := ipc.NewWriter(os.Stdout)
	err := redactPipes(context.Background(), ipc.NewReader(os.Stdin), out, log)
	if err != nil {
		// A hung stage may hold the pipe as well.
		time.AfterFunc(lastMessageTime, func() { os.Exit(1) })
		permanent := errors.Is(err, detect.ErrPermanent) || errors.Is(err, errConfig) || errors.Is(err, ipc.ErrUnprotected)
		if werr := out.Write(ipc.TypeFailure, ipc.Failure{Reason: err.Error(), Permanent: permanent}, nil); werr != nil {
			log.Error("redactor failed", "error", err)
		}
		os.Exit(1)
	}
}

// gcPercent is how much Go's heap grows before a collection. Nearly all of it are pictures
// that are reused, so collections are rare; the default of 100 would double the heap.
const gcPercent = 20

// redactPipes redacts a camera's units, or files if requested.
func redactPipes(ctx context.Context, in *ipc.Reader, out *ipc.Writer, log *slog.Logger) error {
	debug.SetGCPercent(gcPercent)
	if slices.Contains(os.Args[1:], ipc.FilesArg) {
		return runFiles(ctx, in, out)
	}
	if slices.Contains(os.Args[1:], ipc.LookArg) {
		return runLook(in, out)
	}
	return run(ctx, in, out, log, parts{openDetector, func() ipc.Sandbox { return sandbox.Confine(sandbox.Camera) }})
}

// parts are the dependencies of run.
type parts struct {
	open func(detect.Config) (redact.Detector, error)
	// confine limits the process to what it needs from then on.
	confine func() ipc.Sandbox
}

// errConfig is wrapped by errors that a retry cannot fix.
var errConfig = errors.New("invalid configuration")

// lastMessageTime is the time limit for the last message.
const lastMessageTime = time.Second

// run reads the configuration, builds the pipeline and redacts until the pipe is closed.
// After an error that wraps pipeline.ErrHung, a hung thread still uses the detector: then
// nothing is freed, and the process must exit immediately.
func run(ctx context.Context, in *ipc.Reader, out *ipc.Writer, log *slog.Logger, use parts) (err error) {
	var c ipc.Config
	if err := readConfig(in, ipc.TypeConfig, &c); err != nil {
		return err
	}
	// Send them first: with these the worker can show that the rest of the start failed.
	if !c.HavePreparedSlates {
		send := func(head ipc.PreparedSlate, data []byte) error { return out.Write(ipc.TypePreparedSlate, head, data) }
		if err := pipeline.PreparedSlates(c.Camera, pipeline.SlateWidth, pipeline.SlateHeight, c.Encode, send); err != nil {
			log.Warn("cannot prepare slates", "error", err)
		}
	}
	cv.SetThreads(1) // one process per camera: more threads would only compete
	if err := c.Rotate.By.Check(); err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	detector, err := openTurned(c, use.open, log)
	if err != nil {
		return err // the worker adds the camera
	}
	defer func() {
		if !errors.Is(err, pipeline.ErrHung) {
			_ = detector.Close()
		}
	}()
	p, err := build(c, detector, out, log)
	if err != nil {
		return err
	}
	// Everything is open, and no byte of the camera has arrived: the worker waits for the
	// hello.
	confined := use.confine()
	if err := confined.Check(); c.RequireSandbox && err != nil {
		return err
	}
	if err := sendHello(out, detector, confined); err != nil {
		return err
	}
	return feed(ctx, p, in)
}

// openTurned opens the detector of a camera. If nobody said that the camera is turned, the
// detector finds out.
func openTurned(c ipc.Config, open func(detect.Config) (redact.Detector, error), log *slog.Logger) (redact.Detector, error) {
	d, err := open(detect.Config(c.Detect.Turned(c.Rotate.OfDetector())))
	if err != nil {
		return nil, err
	}
	if c.Rotate.By != geom.Upright {
		return detect.NewTurned(d, c.Rotate.OfDetector()), nil
	}
	lying := detect.Config(c.Detect)
	lying.Tiles, lying.TileAreas = false, nil // they cost most
	return detect.NewLookAround(d, func() (redact.Detector, error) { return open(lying) }, func(r geom.Rotation) {
		log.Warn(fmt.Sprintf("faces lie turned in this camera's pictures; set its rotate to %d if it hangs so", r), "camera", c.Camera)
	})
}

// readConfig reads the first message, which must be of the given type, into c.
func readConfig(in *ipc.Reader, t ipc.Type, c any) error {
	m, err := in.Read()
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if m.Type != t {
		return fmt.Errorf("%w: first message is %q", ipc.ErrProtocol, m.Type)
	}
	return m.Decode(c)
}

// sendHello reports that the process is ready.
func sendHello(out *ipc.Writer, detector redact.Detector, confined ipc.Sandbox) error {
	info := detector.Info()
	hello := ipc.Hello{Detector: info.Name, ModelSHA256: info.ModelSHA256, Warning: info.Warning, Sandbox: confined}
	if err := out.Write(ipc.TypeHello, hello, nil); err != nil {
		return fmt.Errorf("send hello: %w", err)
	}
	return nil
}

// randomSeed returns a seed for the noise of obscured regions: if it were known, the
// noise could be removed.
func randomSeed() uint64 {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	return binary.LittleEndian.Uint64(seed[:])
}

// newObscurer returns the obscurer of a configuration.
func newObscurer(c ipc.ObscureConfig) (*obscure.Obscurer, error) {
	style, err := obscure.ParseStyle(c.Style)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	o, err := obscure.New(obscure.Options{Style: style, Cells: c.Cells, Cosmetic: c.Cosmetic, Seed: randomSeed(), Surface: surface.Paint})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return o, nil
}

// build returns the pipeline of a configuration.
func build(c ipc.Config, detector redact.Detector, out *ipc.Writer, log *slog.Logger) (*pipeline.Pipeline, error) {
	obscurer, err := newObscurer(c.Obscure)
	if err != nil {
		return nil, err
	}
	if err := checkZones(c.Zones); err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	tracker := func() redact.Tracker {
		return track.NewWindow(track.Options{
			Padding: c.Obscure.Padding, PaddingTop: c.Obscure.PaddingTop, Cosmetic: c.Obscure.Cosmetic,
			Weak: detector.Info().Weak,
		}, c.Lookahead)
	}
	test := selftest.Options{
		Detector: detector, Obscurer: obscurer, Tracker: tracker, Zones: c.Zones, Rotation: c.Rotate.OfDetector(),
		Size: c.Detect.Size, Threshold: c.Detect.Threshold, Cosmetic: c.Obscure.Cosmetic,
		Tiles: c.Detect.Tiles, TileZones: len(c.Detect.TileAreas) > 0,
	}
	background, err := motion.New(motion.Options{Absorb: c.Cover.Absorb})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	looks, err := newSight(c, detector)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	if c.Sight.WhenBlind == string(redact.BlindWarn) && !c.Obscure.Cosmetic {
		return nil, fmt.Errorf("%w: a blind camera may only warn where cosmetic redaction is allowed", errConfig)
	}
	p, err := pipeline.New(pipeline.Options{
		Camera: c.Camera, Epoch: c.Epoch,
		Detector:       detector,
		Tracker:        tracker(),
		Obscurer:       obscurer,
		Rotate:         c.Rotate.OfPictures(),
		Zones:          c.Zones,
		Cover:          redact.Cover(c.Cover.Mode),
		WhenBlind:      redact.WhenBlind(c.Sight.WhenBlind),
		Sight:          looks,
		Background:     background,
		SelfTest:       func(width, height int) error { return selftest.Check(test, width, height) },
		Encode:         c.Encode,
		Sink:           func(head ipc.Output, data []byte) error { return out.Write(ipc.TypeOutput, head, data) },
		PreparedSlates: func(head ipc.PreparedSlate, data []byte) error { return out.Write(ipc.TypePreparedSlate, head, data) },
		Snapshots:      func(head ipc.Snapshot, data []byte) error { return out.Write(ipc.TypeSnapshot, head, data) },
		Heartbeat:      func(b ipc.Heartbeat) error { return out.Write(ipc.TypeHeartbeat, b, nil) },
		Log:            log.With("camera", c.Camera),
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return p, nil
}

// newSight returns the sight test of a configuration.
func newSight(c ipc.Config, detector redact.Detector) (*sight.Sight, error) {
	d, ok := detector.(redact.PartDetector)
	if !ok {
		return nil, fmt.Errorf("detector %s cannot inspect parts of pictures, which the sight test needs", detector.Info().Name)
	}
	return sight.New(sight.Options{
		Detector: d, Size: c.Detect.Size, Tiles: c.Detect.Tiles, Zones: c.Zones, Rotation: c.Rotate.OfDetector(), Seed: randomSeed(),
		NeedPixels: float64(c.Sight.NeedPixels), NeedPercent: c.Sight.NeedPercent, NeedLeast: files.LeastVideoNeed, Interval: c.Sight.Interval,
	})
}

// checkZones checks the zones of a configuration again: they decide what is shown.
func checkZones(list []zone.Zone) error {
	for i, z := range list {
		if err := z.Check(); err != nil {
			return fmt.Errorf("zone %d: %w", i+1, err)
		}
	}
	if i, err := zone.CheckIgnored(list); err != nil {
		return fmt.Errorf("zone %d: %w", i+1, err)
	}
	return nil
}

// feed runs the pipeline and passes it the messages of the pipe.
func feed(ctx context.Context, p *pipeline.Pipeline, in *ipc.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- p.Run(ctx)
		cancel()
	}()
	read := make(chan error, 1)
	go func() { // ends with the process when the pipeline fails first
		read <- receive(ctx, p, in)
	}()
	select {
	case err := <-done:
		return err
	case err := <-read:
		p.Close()
		return errors.Join(err, <-done)
	}
}

// receive passes messages to the pipeline until the pipe ends.
func receive(ctx context.Context, p *pipeline.Pipeline, in *ipc.Reader) error {
	for {
		m, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read pipe: %w", err)
		}
		switch m.Type {
		case ipc.TypeUnit:
			u, err := m.Unit()
			if err != nil {
				return err
			}
			if err := p.Unit(ctx, u); err != nil {
				return nil //nolint:nilerr // the pipeline has ended and returns the reason itself
			}
		case ipc.TypeInput:
			var i ipc.Input
			if err := m.Decode(&i); err != nil {
				return err
			}
			p.Input(i.Reason)
		case ipc.TypeKeyframe:
			var k ipc.Keyframe
			if err := m.Decode(&k); err != nil {
				return err
			}
			if k.Fence > 0 {
				p.Fence(k.Fence)
			} else {
				p.Keyframe()
			}
		case ipc.TypeSnapshotRequest:
			p.Snapshot()
		default:
			return fmt.Errorf("%w: message %q", ipc.ErrProtocol, m.Type)
		}
	}
}
