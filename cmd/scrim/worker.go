package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"scrim/cmd/internal/config"
	"scrim/cmd/internal/trace"
	"scrim/pipeline/supervise"
	"scrim/pipeline/wire"
	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/rtsp"
)

// worker runs the cameras of a site: ingest, one redactor each, publishing.
type worker struct {
	cfg      *config.Config
	detect   wire.DetectConfig
	redactor string // path of the program
	conn     *bus.Conn
	// shown are the URLs of cameras that everybody may see, by name.
	shown map[string]string
	// observers are called with what is published.
	observers []func(u *transport.RedactedUnit, r *wire.Record)
	standby   *supervise.Standby
	trace     *trace.Writer // nil: none
	log       *slog.Logger
}

// observe tells all observers.
func (w *worker) observe(u *transport.RedactedUnit, r *wire.Record) {
	for _, f := range w.observers {
		f(u, r)
	}
}

// close ends what newWorker has begun.
func (w *worker) close() error {
	if w.trace == nil {
		return nil
	}
	return w.trace.Close()
}

// run keeps all cameras going until ctx ends; then it returns nil. One that can
// never work is given up while the others go on; when none is left, run
// returns why.
func (w *worker) run(ctx context.Context) error {
	if err := w.confinement(ctx); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	w.standby = supervise.NewStandby(w.redactor, nil, w.detect, w.log)
	var failed []error
	cameras := make([]*supervise.Camera, 0, len(w.cfg.Cameras))
	for i := range w.cfg.Cameras {
		c, closeCamera, err := w.camera(&w.cfg.Cameras[i])
		if err != nil {
			w.log.Error("camera is given up", "camera", string(w.cfg.Cameras[i].Name), "error", err)
			failed = append(failed, err)
			continue
		}
		defer closeCamera()
		cameras = append(cameras, c)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { w.standby.Run(ctx) })
	errs := make(chan error, len(cameras))
	for _, c := range cameras {
		wg.Go(func() {
			err := c.Run(ctx)
			errs <- err
			if err != nil {
				c.Mourn(ctx)
			}
		})
	}
	defer wg.Wait()
	defer cancel()
	for range cameras {
		select {
		case err := <-errs:
			if err != nil {
				failed = append(failed, err)
			}
		case <-w.conn.Done():
			return fmt.Errorf("worker: %w", ended(w.conn))
		}
	}
	if len(failed) > 0 && len(failed) == len(w.cfg.Cameras) {
		return failed[0]
	}
	return nil
}

// camera makes one camera; the function ends what it holds of the connection.
func (w *worker) camera(cam *config.Camera) (*supervise.Camera, func(), error) {
	name := string(cam.Name)
	client, err := rtsp.NewClient(rtsp.Config{
		Camera: name, URL: cam.Address().String(), Transport: rtsp.Transport(cam.Transport), AllowBasic: cam.AllowBasic, Log: w.log,
	})
	if err != nil {
		return nil, nil, err
	}
	// A key frame may be asked for before the camera is made.
	var made atomic.Pointer[supervise.Camera]
	pub, err := w.conn.Publisher(string(w.cfg.Site), name, func() {
		if c := made.Load(); c != nil {
			c.Keyframe()
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("camera %s: %w", name, err)
	}
	redactor := w.cfg.Redactor(cam)
	redactor.Detect.Model, redactor.Detect.ModelName = w.detect.Model, w.detect.ModelName
	redactor.Detect.SHA256, redactor.Detect.CascadeDir = w.detect.SHA256, w.detect.CascadeDir
	var backoff rtsp.Backoff
	c, err := supervise.New(supervise.Options{
		Redactor: redactor, Program: w.redactor, Standby: w.standby, Source: client, Delay: backoff.NextDelay, Sink: pub,
		ShownSource: w.shown[name], Observe: w.observe, Log: w.log,
	})
	if err != nil {
		pub.Close()
		return nil, nil, err
	}
	made.Store(c)
	if err := pub.ServeSnapshots(c.Snapshot); err != nil {
		pub.Close()
		return nil, nil, err
	}
	return c, pub.Close, nil
}
