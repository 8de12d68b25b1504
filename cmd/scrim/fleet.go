package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"scrim/cmd/internal/config"
	"scrim/pipeline/ipc"
	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/login"
)

// plan is all that a camera is made of, without what all have in common: cameras of
// equal plans need not be told apart.
type plan struct {
	ingest   rtsp.Config
	redactor ipc.Config
	shown    string
}

// name is the camera's.
func (p *plan) name() string { return p.redactor.Camera }

// fleet are the cameras that a worker runs. Only its owner calls its methods.
type fleet struct {
	w       *worker
	ctx     context.Context
	cancel  context.CancelFunc
	cameras map[string]*running
	// accounts outlive the cameras that log in as them.
	accounts login.Accounts
	notice   string
	// gaveUp is written to when a camera has been given up.
	gaveUp chan struct{}
}

// running is one camera of a fleet, also after it has been given up.
type running struct {
	plan   plan
	camera *camera.Camera // nil: it could not be made
	pub    *bus.Publisher
	login  *login.Login
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error // why it has been given up
}

func newFleet(ctx context.Context, w *worker) *fleet {
	f := &fleet{w: w, cameras: make(map[string]*running), accounts: make(login.Accounts), gaveUp: make(chan struct{}, 1)}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// close ends all cameras.
func (f *fleet) close() {
	f.cancel()
	for _, r := range f.cameras {
		r.end()
	}
}

// apply makes the fleet run these cameras. Those whose plan is the one that they
// run by already are left alone.
func (f *fleet) apply(plans []plan) {
	wanted := make(map[string]*plan, len(plans))
	for i := range plans {
		wanted[plans[i].name()] = &plans[i]
	}
	var ending []*running
	for name, r := range f.cameras {
		if p := wanted[name]; p != nil && reflect.DeepEqual(*p, r.plan) {
			delete(wanted, name)
			continue
		}
		r.cancel()
		ending = append(ending, r)
	}
	last := map[string]*running{}
	for _, r := range ending { // all of them at the same time
		name := r.plan.name()
		r.end()
		delete(f.cameras, name)
		last[name] = r
		if wanted[name] == nil {
			f.farewell(r)
		}
	}
	for i := range plans {
		if p := wanted[plans[i].name()]; p != nil {
			f.cameras[p.name()] = f.start(*p, last[p.name()])
		}
	}
}

// farewell tells that a camera is not of the site any more.
func (f *fleet) farewell(r *running) {
	if r.pub == nil {
		return
	}
	s := transport.Status{Site: r.plan.redactor.Site, Camera: r.plan.name(), State: transport.StateRemoved}
	if err := r.pub.PublishStatus(s); err != nil {
		f.w.log.Debug("that the camera is gone cannot be sent", "camera", r.plan.name(), "error", err)
	}
}

// end waits for the end of a camera that was cancelled.
func (r *running) end() {
	r.cancel()
	r.wg.Wait()
	if r.pub != nil {
		r.pub.Close()
	}
}

// start starts a camera, in the place of another that has ended; nil: of none.
func (f *fleet) start(p plan, before *running) *running {
	r := &running{plan: p}
	if before != nil {
		r.login = before.login
	}
	r.login = f.accounts.Login(p.name(), p.ingest.URL, r.login)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(f.ctx)
	if err := r.make(f.w, before); err != nil {
		f.w.log.Error("camera is given up", "camera", p.name(), "error", err)
		f.giveUp(r, err)
		return r
	}
	r.camera.Notice(f.notice)
	r.wg.Go(func() {
		if err := r.camera.Run(ctx); err != nil {
			f.giveUp(r, err)
			r.camera.ReportFailed(ctx)
		}
	})
	return r
}

// make makes the camera of a plan.
func (r *running) make(w *worker, before *running) error {
	name := r.plan.name()
	ingest := r.plan.ingest
	ingest.Log, ingest.OnPlaying = w.log, r.login.OnPlaying
	client, err := rtsp.NewClient(ingest)
	if err != nil {
		return err
	}
	// A key frame may be asked for before the camera is made.
	var made atomic.Pointer[camera.Camera]
	pub, err := w.conn.Publisher(r.plan.redactor.Site, name, func() {
		if c := made.Load(); c != nil {
			c.Keyframe()
		}
	})
	if err != nil {
		return fmt.Errorf("camera %s: %w", name, err)
	}
	o := camera.Options{
		Redactor: r.plan.redactor, Program: w.redactor, Standby: w.standby, Admission: w.admission, SharedSlates: w.slates,
		Source: r.login.Source(client), Delay: r.login.Delay, Sink: pub,
		ShownSource: r.plan.shown, Observe: w.observe, Log: w.log,
	}
	if before != nil {
		o.Before = before.camera
	}
	c, err := camera.New(o)
	if err == nil {
		made.Store(c)
		err = pub.ServeSnapshots(c.Snapshot)
	}
	if err != nil {
		pub.Close()
		return err
	}
	r.camera, r.pub = c, pub
	return nil
}

// giveUp notes that a camera cannot work.
func (f *fleet) giveUp(r *running, err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	select {
	case f.gaveUp <- struct{}{}:
	default:
	}
}

// failure returns why no camera works, nil while one does.
func (f *fleet) failure() error {
	var errs []error
	for _, p := range slices.Sorted(maps.Keys(f.cameras)) {
		r := f.cameras[p]
		r.mu.Lock()
		err := r.err
		r.mu.Unlock()
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return errors.New("there is no camera")
	}
	return errs[0]
}

// tell has all cameras tell something to operators; "" takes it back.
func (f *fleet) tell(notice string) {
	f.notice = notice
	for _, r := range f.cameras {
		if r.camera != nil {
			r.camera.Notice(notice)
		}
	}
}

// plans returns what a configuration's cameras are made of.
func (w *worker) plans(cfg *config.Config, detect ipc.DetectConfig) []plan {
	out := make([]plan, 0, len(cfg.Cameras))
	for i := range cfg.Cameras {
		cam := &cfg.Cameras[i]
		p := plan{
			ingest:   cam.Ingest(),
			redactor: cfg.Redactor(cam),
			shown:    w.shown[string(cam.Name)],
		}
		p.redactor.Detect.Model, p.redactor.Detect.ModelName, p.redactor.Detect.SHA256 = detect.Model, detect.ModelName, detect.SHA256
		out = append(out, p)
	}
	return out
}
