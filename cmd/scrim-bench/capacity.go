package main

import (
	"context"

	"scrim/cmd/internal/bench"
)

// trials is how often a number of cameras is tried before it counts as too many: other
// programs disturb now and then. An exposed face is not excused.
const trials = 2

// capacity finds the largest number of cameras that hold their rate without a dropped
// picture or an exposed face.
func (m *measurement) capacity(ctx context.Context, clips []*bench.Clip) error {
	m.result.Mode = "capacity"
	if m.result.Capacity == nil {
		m.result.Capacity = &bench.Capacity{}
	}
	var best *liveRun
	most, err := bench.MostCameras(m.cli.Cameras, m.cli.MaxCameras, func(n int) (bool, error) {
		r, err := m.holds(ctx, clips, n)
		if r != nil {
			best = r
		}
		return r != nil, err
	})
	if err != nil {
		return err
	}
	m.result.Capacity.Bounded = most == m.cli.MaxCameras
	m.note("cameras", float64(most))
	m.result.Cameras = most
	if best == nil {
		return nil // not even one: the trials have the reason
	}
	m.addRun(best, most)
	return nil
}

// holds runs n cameras and returns the measurement, or nil if they do not hold their
// rate.
func (m *measurement) holds(ctx context.Context, clips []*bench.Clip, n int) (*liveRun, error) {
	for range trials {
		m.logf("%d cameras, for %v", n, m.cli.For)
		trial := bench.Trial{Cameras: n}
		r, err := m.runLive(ctx, clips, n)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch {
		case err != nil && n == 1:
			return nil, err
		case err != nil:
			trial.Why = err.Error()
		default:
			trial.In, trial.Dropped, trial.Slates, trial.Cores = r.in, r.dropped, r.live.Slates, r.live.Cores
			trial.P99 = bench.QuantilesOf(r.hist[bench.Added]).P99
			if r.leaks != nil {
				trial.Exposed, trial.Faces = r.leaks.Exposed, r.leaks.Faces
			}
		}
		trial.Judge()
		m.result.Capacity.Trials = append(m.result.Capacity.Trials, trial)
		if trial.Held {
			m.logf("%d cameras hold their rate; %.2f cores, added latency p99 %.1f ms", n, trial.Cores, trial.P99)
			return r, nil
		}
		m.logf("%d cameras do not hold their rate: %s", n, trial.Why)
		if trial.Exposed > 0 {
			break
		}
	}
	return nil, nil //nolint:nilnil // they do not hold
}
