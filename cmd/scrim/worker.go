package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"scrim/cmd/internal/config"
	"scrim/cmd/internal/trace"
	"scrim/pipeline/ipc"
	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/bus"
)

// worker runs the cameras of a site: ingest, one redactor each, publishing.
type worker struct {
	cfg      *config.Config
	flags    RedactorFlags
	detect   ipc.DetectConfig
	redactor string // path of the program
	conn     *bus.Conn
	// shown are the URLs of cameras that everybody may see, by name.
	shown map[string]string
	// observers are called with what is published.
	observers []func(u *transport.RedactedUnit, r *ipc.Record)
	standby   *camera.Standby
	admission *camera.Admission
	slates    *camera.SharedSlates
	trace     *trace.Writer // nil: none
	// news are configurations that take the place of cfg; nil: there are none.
	news <-chan reloaded
	log  *slog.Logger
}

// observe tells all observers.
func (w *worker) observe(u *transport.RedactedUnit, r *ipc.Record) {
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
// returns why, unless there are news: what they have broken they can mend.
func (w *worker) run(ctx context.Context) error {
	if err := w.confinement(ctx, w.cfg.RequireSandbox); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	w.standby = camera.NewStandby(w.redactor, nil, w.detect, w.log)
	// One more than there are processors: while one reads its files another computes.
	w.admission = camera.NewAdmission(runtime.GOMAXPROCS(0) + 1)
	plans := w.plans(w.cfg, w.detect)
	var first ipc.Config
	if len(plans) > 0 {
		first = plans[0].redactor
	}
	w.slates = camera.NewSharedSlates(w.redactor, nil, first, w.admission, w.log)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	wg.Go(func() { w.standby.Run(ctx) })
	wg.Go(func() { w.slates.Run(ctx) })
	f := newFleet(ctx, w)
	defer f.close()
	f.apply(plans)
	renewed := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.gaveUp:
			if err := f.failure(); err != nil && !renewed && ctx.Err() == nil {
				return err
			}
		case n := <-w.news:
			n.done <- w.renew(ctx, f, n)
			renewed = renewed || n.cfg != nil
		case <-w.conn.Done():
			return fmt.Errorf("worker: %w", ended(w.conn))
		}
	}
}

// renew takes a configuration over, or tells why there is none to take over.
func (w *worker) renew(ctx context.Context, f *fleet, n reloaded) error {
	if n.cfg == nil {
		f.tell(n.notice)
		return nil
	}
	detect := w.detect
	if n.cfg.Model != w.cfg.Model {
		var err error
		if detect, err = findDetector(n.cfg, w.flags, w.log); err != nil {
			return err
		}
	}
	if n.cfg.RequireSandbox && !w.cfg.RequireSandbox {
		if err := w.confinement(ctx, true); err != nil {
			return err
		}
	}
	w.cfg, w.detect = n.cfg, detect
	w.standby.Renew(nil, detect)
	f.tell("")
	f.apply(w.plans(w.cfg, detect))
	return nil
}
