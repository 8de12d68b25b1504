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

// LiveFlags are the flags of a live measurement.
type LiveFlags struct {
	NATS         string         `name:"nats" placeholder:"URL" help:"Score what is published on this NATS server, instead of reports."`
	NATSUser     string         `name:"nats-user" placeholder:"NAME" help:"User name; that of a gateway is enough."`
	NATSPassword *config.Secret `name:"nats-password" placeholder:"env:NAME|file:PATH" help:"Password of that user."`
	Site         string         `placeholder:"NAME" help:"Site of the cameras."`
	Camera       []string       `sep:"none" placeholder:"NAME" help:"Camera. Repeatable, with a --truth for each in the same order."`
	For          time.Duration  `default:"60s" placeholder:"TIME" help:"Duration (${default}); 0 measures until Ctrl-C. Ctrl-C always prints the results so far."`
	Pictures     int            `placeholder:"N" help:"Stop earlier, when each camera has published this many pictures."`
}

// check rejects invalid combinations of flags.
func (f *LiveFlags) check(truths, reports []string) error {
	switch {
	case f.NATS == "" && (f.Site != "" || len(f.Camera) > 0 || f.NATSUser != "" || f.NATSPassword != nil || f.Pictures != 0):
		return errors.New("--site, --camera, --pictures and --nats-… are for a live run; it needs --nats")
	case f.NATS == "" && len(reports) == 0:
		return errors.New("missing --report FILE, or --nats URL --site NAME --camera NAME for a live run")
	case f.NATS == "":
		return nil
	case len(reports) > 0:
		return errors.New("--report and --nats cannot be used together")
	case f.Site == "" || len(f.Camera) == 0:
		return errors.New("--nats needs --site and --camera")
	case len(f.Camera) != len(truths):
		return fmt.Errorf("%d cameras and %d truths: each camera needs one, in the same order", len(f.Camera), len(truths))
	case f.For < 0 || f.Pictures < 0:
		return errors.New("--for and --pictures must not be negative")
	}
	return nil
}

// measure collects the published units in seen, until the time is over, ctx ends or
// seen is full, and scores them.
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

// liveRuns collects published units, up to what can be scored. It is safe for
// concurrent use.
type liveRuns struct {
	order []string
	// full is called once, when no more units are accepted.
	full func()
	log  *slog.Logger
	// maxUnits bounds the units of each camera, maxRegions the regions of all cameras.
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

// collect adds the units of a subscription until ctx ends or the number of pictures is
// reached; 0 means no limit.
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
		if !u.IsSlate() {
			n++
		}
	}
	return nil
}

// add adds a published unit. When a limit is reached, it stops for all cameras, so that
// all are scored over the same time.
func (l *liveRuns) add(u *transport.RedactedUnit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.cut:
	case len(l.shown[u.Camera]) >= l.maxUnits || l.regions+len(u.Regions) > l.maxRegions:
		l.cut = true
		l.log.Warn("maximum length of a run reached; not scoring later units", "units_of_a_camera", l.maxUnits, "regions", l.maxRegions)
		l.full()
	default:
		l.regions += len(u.Regions)
		l.shown[u.Camera] = append(l.shown[u.Camera], measure.ShownUnit(u))
	}
}

// runs reads the truth of each camera for the time of the run.
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

// checkTruth checks before the run that readTruth will succeed.
func checkTruth(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; use the one that scrim-camera --truth writes", path)
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
