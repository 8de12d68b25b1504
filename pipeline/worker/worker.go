package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/rtsp"
)

// Camera is everything that a camera is made of, except for what all cameras share.
// Cameras that are equal need not be restarted.
type Camera struct {
	// Ingest is how the camera is reached. Its Log and OnPlaying are set by the Worker.
	Ingest rtsp.Config
	// Redactor is the configuration of its redactor, with the names of site and camera.
	// All cameras of a Worker have the same Redactor.Detect.Model.
	Redactor ipc.Config
	// ShownSource is the URL that everybody may see; empty for real cameras.
	ShownSource string
}

// Config is what can change while a Worker runs.
type Config struct {
	Cameras []Camera
	// RequireSandbox makes it an error when a protection of the redactors does not hold.
	RequireSandbox bool
}

// Options describe a Worker.
type Options struct {
	Config
	// Program is the path of scrim-redactor.
	Program string
	// Conn is the connection to the bus, which the caller closes.
	Conn *bus.Conn
	// Observe are called with every published unit and the redactor's record of it; the
	// record is nil for a slate. They must not block.
	Observe []func(u *transport.RedactedUnit, r *ipc.Record)
	Log     *slog.Logger
}

// Worker runs cameras. Its methods may be called from any goroutine.
type Worker struct {
	o        Options
	requests chan request
	ended    chan struct{} // closed when Run has returned
}

// request is something for Run to do.
type request struct {
	do   func(ctx context.Context, f *fleet) error
	done chan<- error
}

// New returns a Worker that does nothing before Run.
func New(o Options) (*Worker, error) {
	if o.Program == "" || o.Conn == nil || o.Log == nil {
		return nil, errors.New("worker: needs a redactor program, a connection and a log")
	}
	return &Worker{o: o, requests: make(chan request), ended: make(chan struct{})}, nil
}

// Run keeps all cameras going until ctx ends; then it returns nil. A camera that can
// never work is given up while the others continue. When none is left Run returns the
// reason, unless Apply has been called: what one configuration broke another can mend. It
// may be called once.
func (w *Worker) Run(ctx context.Context) error {
	defer close(w.ended)
	if err := w.checkSandbox(ctx, w.o.RequireSandbox); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	var first ipc.Config
	if len(w.o.Cameras) > 0 {
		first = w.o.Cameras[0].Redactor
	}
	// One more than there are processors: while one reads its files another computes.
	admission := camera.NewAdmission(runtime.GOMAXPROCS(0) + 1)
	standby := camera.NewStandby(w.o.Program, nil, first.Detect, admission, w.o.Log)
	slates := camera.NewSharedSlates(w.o.Program, nil, first, admission, w.o.Log)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { standby.Run(ctx) })
	wg.Go(func() { slates.Run(ctx) })
	f := newFleet(ctx, &w.o, camera.Options{
		Program: w.o.Program, Standby: standby, Admission: admission, SharedSlates: slates, Observe: w.observe, Log: w.o.Log,
	})
	defer f.close()
	f.apply(w.o.Cameras)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.failed:
			if err := f.failure(); err != nil && !f.applied && ctx.Err() == nil {
				return err
			}
		case r := <-w.requests:
			r.done <- r.do(ctx, f)
		case <-w.o.Conn.Done():
			return fmt.Errorf("worker: %w", cmp.Or(w.o.Conn.Err(), bus.ErrClosed))
		}
	}
}

// Apply replaces the configuration, and returns when that is done. After an error the one
// before stays in force, except when ctx ends meanwhile. It waits for Run.
func (w *Worker) Apply(ctx context.Context, c Config) error {
	return w.request(ctx, func(ctx context.Context, f *fleet) error {
		if c.RequireSandbox && !w.o.RequireSandbox {
			if err := w.checkSandbox(ctx, true); err != nil {
				return err
			}
		}
		w.o.Config = c
		if len(c.Cameras) > 0 {
			f.common.Standby.Renew(nil, c.Cameras[0].Redactor.Detect)
		}
		f.applied = true
		f.setNotice("")
		f.apply(c.Cameras)
		return nil
	})
}

// SetNotice sets a text that operators see with the status of all cameras, until Apply
// succeeds or it is set to "". It waits for Run.
func (w *Worker) SetNotice(ctx context.Context, text string) error {
	return w.request(ctx, func(_ context.Context, f *fleet) error {
		f.setNotice(text)
		return nil
	})
}

// request lets Run do something, and waits for that.
func (w *Worker) request(ctx context.Context, do func(ctx context.Context, f *fleet) error) error {
	done := make(chan error, 1)
	select {
	case w.requests <- request{do, done}:
	case <-w.ended:
		return errors.New("worker: has ended")
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Worker) observe(u *transport.RedactedUnit, r *ipc.Record) {
	for _, f := range w.o.Observe {
		f(u, r)
	}
}

// checkSandbox logs what confines the redactors. A missing protection is an error if all
// are required.
func (w *Worker) checkSandbox(ctx context.Context, require bool) error {
	sandbox, err := redactorproc.CheckSandbox(ctx, w.o.Program)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // Run was asked to end
	}
	if err == nil {
		err = sandbox.Check()
	}
	holding := strings.Join(sandbox.Holding(), " ")
	switch {
	case err == nil:
		w.o.Log.Info("redactors are confined", "sandbox", holding)
	case require:
		return fmt.Errorf("%w; see `scrim sandbox`, or remove require_sandbox to run without the missing protections", err)
	default:
		w.o.Log.Warn("redactors are not fully confined", "sandbox", holding, "error", err)
	}
	return nil
}
