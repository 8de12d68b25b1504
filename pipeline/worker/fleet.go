package worker

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/login"
)

// name returns the camera's name.
func (c *Camera) name() string { return c.Redactor.Camera }

// fleet is the cameras that a worker runs. Only the goroutine of Worker.Run calls its
// methods.
type fleet struct {
	o      *Options
	common camera.Options // what all cameras share
	ctx    context.Context
	cancel context.CancelFunc
	runs   map[string]*run
	// accounts outlive the cameras that log in with them.
	accounts login.Accounts
	notice   string
	applied  bool // a configuration after the first
	// failed is written to when a camera has been given up.
	failed chan struct{}
}

// run is one camera of a fleet, also after it has been given up.
type run struct {
	spec   Camera
	camera *camera.Camera // nil: it could not be made
	pub    *bus.Publisher
	login  *login.Login
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu  sync.Mutex
	err error // why it has been given up
}

func newFleet(ctx context.Context, o *Options, common camera.Options) *fleet {
	f := &fleet{o: o, common: common, runs: make(map[string]*run), accounts: make(login.Accounts), failed: make(chan struct{}, 1)}
	f.ctx, f.cancel = context.WithCancel(ctx)
	return f
}

// close ends all cameras.
func (f *fleet) close() {
	f.cancel()
	for _, r := range f.runs {
		r.end()
	}
}

// apply makes the fleet run these cameras. Those that have not changed are left alone.
func (f *fleet) apply(cameras []Camera) {
	wanted := make(map[string]*Camera, len(cameras))
	for i := range cameras {
		wanted[cameras[i].name()] = &cameras[i]
	}
	ending := map[string]*run{}
	for name, r := range f.runs {
		if c := wanted[name]; c != nil && reflect.DeepEqual(*c, r.spec) {
			delete(wanted, name)
			continue
		}
		r.cancel() // all of them at the same time
		ending[name] = r
	}
	for name, r := range ending {
		r.end()
		delete(f.runs, name)
		if wanted[name] == nil {
			f.publishRemoved(r)
		}
	}
	for i := range cameras {
		name := cameras[i].name()
		if c := wanted[name]; c != nil {
			f.runs[name] = f.start(*c, ending[name])
		}
	}
}

// publishRemoved publishes that a camera does not belong to the site any more.
func (f *fleet) publishRemoved(r *run) {
	if r.pub == nil {
		return
	}
	s := transport.Status{Site: r.spec.Redactor.Site, Camera: r.spec.name(), State: transport.StateRemoved}
	if err := r.pub.PublishStatus(s); err != nil {
		f.o.Log.Debug("cannot publish camera removal", "camera", s.Camera, "error", err)
	}
}

// end ends a camera, and waits for that.
func (r *run) end() {
	r.cancel()
	r.wg.Wait()
	if r.pub != nil {
		r.pub.Close()
	}
}

// start starts a camera. It continues what the one before published, which has ended;
// nil: there was none.
func (f *fleet) start(c Camera, before *run) *run {
	r := &run{spec: c}
	o := f.common
	if before != nil {
		r.login, o.Before = before.login, before.camera
	}
	r.login = f.accounts.Login(c.name(), c.Ingest.URL, r.login)
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(f.ctx)
	if err := r.create(f.o.Conn, o); err != nil {
		f.o.Log.Error("giving up on camera", "camera", c.name(), "error", err)
		f.fail(r, err)
		return r
	}
	r.camera.Notice(f.notice)
	r.wg.Go(func() {
		if err := r.camera.Run(ctx); err != nil {
			f.fail(r, err)
			r.camera.ReportFailed(ctx)
		}
	})
	return r
}

// create makes the client, publisher and camera; o has what the cameras share.
func (r *run) create(conn *bus.Conn, o camera.Options) error {
	name := r.spec.name()
	ingest := r.spec.Ingest
	ingest.Log, ingest.OnPlaying = o.Log, r.login.OnPlaying
	client, err := rtsp.NewClient(ingest)
	if err != nil {
		return err
	}
	// A key frame may be requested before the camera is made.
	var made atomic.Pointer[camera.Camera]
	pub, err := conn.Publisher(r.spec.Redactor.Site, name, func() {
		if c := made.Load(); c != nil {
			c.Keyframe()
		}
	})
	if err != nil {
		return fmt.Errorf("camera %s: %w", name, err)
	}
	o.Redactor, o.Source, o.Delay, o.Sink, o.ShownSource = r.spec.Redactor, r.login.Source(client), r.login.Delay, pub, r.spec.ShownSource
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

// fail notes that a camera cannot work.
func (f *fleet) fail(r *run, err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	select {
	case f.failed <- struct{}{}:
	default:
	}
}

// failure returns why no camera works; nil while one does, or there is none.
func (f *fleet) failure() (first error) {
	for _, name := range slices.Sorted(maps.Keys(f.runs)) {
		r := f.runs[name]
		r.mu.Lock()
		err := r.err
		r.mu.Unlock()
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// setNotice sets a text that operators see with the status of all cameras.
func (f *fleet) setNotice(text string) {
	f.notice = text
	for _, r := range f.runs {
		if r.camera != nil {
			r.camera.Notice(text)
		}
	}
}
