package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/cmd/internal/config"
	"scrim/pipeline/measure"
	"scrim/transport"
	"scrim/transport/bus"
)

// LiveFlags are those of measuring what is published now.
type LiveFlags struct {
	NATS         string         `name:"nats" placeholder:"URL" help:"Score what is published on this NATS server, in place of reports."`
	NATSUser     string         `name:"nats-user" placeholder:"NAME" help:"User to log in with; a gateway's is enough."`
	NATSPassword *config.Secret `name:"nats-password" placeholder:"env:NAME|file:PATH" help:"Where its password is."`
	Site         string         `placeholder:"NAME" help:"Site of the cameras."`
	Camera       []string       `sep:"none" placeholder:"NAME" help:"Camera. Repeatable: each has a --truth, in the same order."`
	For          time.Duration  `default:"60s" placeholder:"TIME" help:"How long (${default}); 0 is until Ctrl-C, which prints what there is at any time."`
	Pictures     int            `placeholder:"N" help:"End earlier, when each camera has published this many pictures."`
}

// check reports flags that do not go together.
func (f *LiveFlags) check(truths, reports []string) error {
	switch {
	case f.NATS == "" && (f.Site != "" || len(f.Camera) > 0 || f.NATSUser != "" || f.NATSPassword != nil || f.Pictures != 0):
		return errors.New("--site, --camera, --pictures and --nats-… are about a live run; name its server with --nats")
	case f.NATS == "" && len(reports) == 0:
		return errors.New("say --report FILE, or --nats URL --site NAME --camera NAME for a live run")
	case f.NATS == "":
		return nil
	case len(reports) > 0:
		return errors.New("--report and --nats: choose what to score")
	case f.Site == "" || len(f.Camera) == 0:
		return errors.New("--nats needs --site and --camera")
	case len(f.Camera) != len(truths):
		return fmt.Errorf("%d cameras and %d truths; each camera has one, in the same order", len(f.Camera), len(truths))
	case f.For < 0 || f.Pictures < 0:
		return errors.New("--for and --pictures cannot be below 0")
	}
	return nil
}

// measure collects in seen what the cameras publish, until the time is over, ctx
// ends or it is full, and scores it.
func (f *LiveFlags) measure(ctx context.Context, truths []string, seen *liveRuns, o measure.Options, log *slog.Logger) (*measure.Result, error) {
	for i, path := range truths {
		if err := checkTruth(path); err != nil {
			return nil, fmt.Errorf("camera %s: truth: %w", f.Camera[i], err)
		}
	}
	c := bus.Config{URL: f.NATS, User: f.NATSUser, Name: "scrim measure", Log: log}
	if f.NATSPassword != nil {
		if err := f.NATSPassword.Resolve(); err != nil {
			return nil, fmt.Errorf("--nats-password: %w", err)
		}
		c.Password = f.NATSPassword.Value()
	}
	conn, err := dial(ctx, c)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.For > 0 {
		ctx, cancel = context.WithTimeout(ctx, f.For)
		defer cancel()
	}
	seen.full = cancel
	lost := make([]int, len(f.Camera))
	var g errgroup.Group
	for i, camera := range f.Camera {
		sub, err := conn.Subscribe(f.Site, camera, transport.MainRendition)
		if err != nil {
			return nil, err
		}
		defer sub.Close()
		g.Go(func() error {
			err := seen.collect(ctx, sub, f.Pictures)
			n := sub.Counts()
			lost[i] = int(n.Lost + n.Skipped) //nolint:gosec // counts
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	runs, err := seen.runs(truths)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		runs[i].Lost = lost[i]
	}
	return measure.ScoreLive(runs, o)
}

// liveRuns collect what cameras publish, up to what can be scored. Its methods may
// be called at the same time.
type liveRuns struct {
	order []string
	// full is called once, when no more is taken.
	full func()
	log  *slog.Logger
	// maxUnits bounds the units of a camera, maxRegions the regions of all.
	maxUnits, maxRegions int

	mu      sync.Mutex
	shown   map[string][]measure.Shown
	regions int
	cut     bool
}

func newLiveRuns(log *slog.Logger, cameras ...string) *liveRuns {
	return &liveRuns{
		order: cameras, full: func() {}, log: log, maxUnits: measure.MaxFrames, maxRegions: measure.MaxAllBoxes,
		shown: make(map[string][]measure.Shown),
	}
}

// collect takes what comes for a camera until ctx ends or some pictures have come;
// 0 is no limit.
func (l *liveRuns) collect(ctx context.Context, sub *bus.Subscription, pictures int) error {
	for n := 0; pictures == 0 || n < pictures; {
		u, err := sub.Next(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the time is over
		}
		if err != nil {
			return err
		}
		l.add(u)
		if u.State == transport.StateLive {
			n++
		}
	}
	return nil
}

// add takes a published unit. When there is one too many, nothing is taken from
// any camera any more: all are scored over the same time.
func (l *liveRuns) add(u *transport.RedactedUnit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.cut:
	case len(l.shown[u.Camera]) >= l.maxUnits || l.regions+len(u.Regions) > l.maxRegions:
		l.cut = true
		l.log.Warn("the run is as long as can be scored; what comes now is not", "units_of_a_camera", l.maxUnits, "regions", l.maxRegions)
		l.full()
	default:
		l.regions += len(u.Regions)
		l.shown[u.Camera] = append(l.shown[u.Camera], measure.ShownUnit(u))
	}
}

// runs reads of each camera's truth what was captured meanwhile.
func (l *liveRuns) runs(truths []string) ([]measure.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	runs := make([]measure.Run, 0, len(l.order))
	for i, camera := range l.order {
		r := measure.Run{Camera: camera, Shown: l.shown[camera], Cut: l.cut}
		var from, to time.Time
		for k := range r.Shown {
			at := r.Shown[k].Captured
			if k == 0 || at.Before(from) {
				from = at
			}
			if k == 0 || at.After(to) {
				to = at
			}
		}
		var err error
		if r.Truth, err = readTruth(truths[i], from, to); err != nil {
			return nil, fmt.Errorf("camera %s: truth: %w", camera, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// checkTruth looks whether readTruth will get what it needs.
func checkTruth(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file; name the one that scrim-camera --truth writes", path)
	}
	f, err := os.Open(path) //nolint:gosec // named by the user
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return measure.CheckLiveTruth(f, path)
}

func readTruth(path string, from, to time.Time) (*measure.Truth, error) {
	f, err := os.Open(path) //nolint:gosec // named by the user
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return measure.ReadLiveTruth(f, path, from, to)
}
