package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"scrim/pipeline/files"
	"scrim/pipeline/ipc"
	"scrim/pipeline/sandbox"
	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/motion"
	"scrim/redact/sight"
	"scrim/redact/track"
)

// runFiles redacts the files that are named on the pipe, one after the other, until it is
// closed. An unfinished output is removed then.
func runFiles(ctx context.Context, in *ipc.Reader, out *ipc.Writer) error {
	// By default SIGPIPE would end the process at once when nobody reads its messages.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	var c ipc.Files
	if err := readConfig(in, ipc.TypeFiles, &c); err != nil {
		return err
	}
	cv.SetThreads(runtime.NumCPU()) // one file at a time uses the whole machine
	detector, err := files.OpenDetector(c)
	if err != nil {
		return err
	}
	defer func() { _ = detector.Close() }()
	obscurer, err := newObscurer(c.Obscure)
	if err != nil {
		return err
	}
	if err := checkZones(c.Zones); err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	sights, err := newFileSights(c, detector)
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	background, err := motion.New(motion.Options{Absorb: c.Cover.Absorb})
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	r, err := files.New(files.Options{
		Cover: redact.Cover(c.Cover.Mode), WhenBlind: redact.WhenBlind(c.Sight.WhenBlind),
		Sight: sights.ofVideos, ImageSight: sights.ofImages, Background: background,
		Detector: detector, Obscurer: obscurer, Zones: c.Zones, Rotate: c.Rotate.OfPictures(),
		Lookahead: c.Lookahead, KeepAudio: c.KeepAudio, SecondLook: c.SecondLook,
		Track:  track.Options{Padding: c.Obscure.Padding, PaddingTop: c.Obscure.PaddingTop, Cosmetic: c.Obscure.Cosmetic, Weak: detector.Info().Weak},
		Begin:  func(n int64) error { return out.Write(ipc.TypeFileBegin, ipc.FileBegin{Frames: n}, nil) },
		Record: func(f ipc.FileFrame) error { return out.Write(ipc.TypeFileFrame, f, nil) },
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	if err := r.SelfTest(c); err != nil {
		return fmt.Errorf("nothing was redacted: %w", err)
	}
	if err := sendHello(out, detector, sandbox.Confine(sandbox.Files)); err != nil {
		return err
	}
	return redactFiles(ctx, r, in, out)
}

// fileSights are the sights of a detector of files.
type fileSights struct{ ofVideos, ofImages redact.Sight }

// newFileSights returns the sights of a detector of files.
func newFileSights(c ipc.Files, d redact.Detector) (s fileSights, err error) {
	if c.Sight.WhenBlind == string(redact.BlindWarn) && !c.Obscure.Cosmetic {
		return s, errors.New("faces may be shown in blind pictures only where that is accepted (cosmetic)")
	}
	part, ok := d.(redact.PartDetector)
	if !ok {
		return s, fmt.Errorf("detector %s cannot inspect parts of pictures, which the sight test needs", d.Info().Name)
	}
	o := sight.Options{
		Detector: part, Size: slices.Max(c.Sizes), Tiles: c.Detect.Tiles, Zones: c.Zones, Rotation: c.Rotate.OfDetector(), Interval: c.Sight.Interval,
		NeedPixels: float64(c.Sight.NeedPixels), NeedPercent: c.Sight.NeedPercent, AtOnce: true,
	}
	o.NeedLeast = files.LeastVideoNeed
	if s.ofVideos, err = sight.New(o); err != nil {
		return s, err
	}
	o.NeedLeast = files.LeastImageNeed
	s.ofImages, err = sight.New(o)
	return s, err
}

// redactFiles redacts the files that are named on the pipe.
func redactFiles(ctx context.Context, r *files.Redactor, in *ipc.Reader, out *ipc.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tasks := make(chan ipc.File)
	go func() { // ends with the process when nobody closes the pipe
		defer close(tasks)
		cancel(readTasks(ctx, in, tasks))
	}()
	for {
		select {
		case <-ctx.Done():
		case f, ok := <-tasks:
			if ok {
				end, err := r.Redact(ctx, f)
				if ctx.Err() != nil {
					break
				}
				if err != nil {
					end.Error = err.Error()
				}
				if err := out.Write(ipc.TypeFileEnd, end, nil); err != nil {
					return err
				}
				continue
			}
		}
		if err := context.Cause(ctx); !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	}
}

// readTasks passes on the requests, and returns why it ends: io.EOF at the end of the
// pipe.
func readTasks(ctx context.Context, in *ipc.Reader, tasks chan<- ipc.File) error {
	for {
		m, err := in.Read()
		if err != nil {
			return err
		}
		if m.Type != ipc.TypeFile {
			return fmt.Errorf("%w: message %q", ipc.ErrProtocol, m.Type)
		}
		var f ipc.File
		if err := m.Decode(&f); err != nil {
			return err
		}
		select {
		case tasks <- f:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
