package main

import (
	"context"

	"scrim/cmd/internal/bench"
)

// tries is how often a number of cameras may fail to hold their rate before it
// counts as too many: other programs disturb now and then. A face that is exposed
// is not excused.
const tries = 2

// capacity finds the most cameras that hold their rate with nothing dropped and
// nothing exposed.
func (m *measurement) capacity(ctx context.Context, clips []*bench.Clip) error {
	m.result.Mode = "capacity"
	if m.result.Capacity == nil {
		m.result.Capacity = &bench.Capacity{}
	}
	var best *liveRun
	few, err := bench.MostCameras(m.cli.Cameras, m.cli.MaxCameras, func(n int) (bool, error) {
		r, err := m.holds(ctx, clips, n)
		if r != nil {
			best = r
		}
		return r != nil, err
	})
	if err != nil {
		return err
	}
	m.result.Capacity.Bounded = few == m.cli.MaxCameras
	m.note("cameras", float64(few))
	m.result.Cameras = few
	if best == nil {
		return nil // not even one: the tries say why
	}
	m.take(best, few)
	return nil
}

// holds lets n cameras run and returns what was measured if they hold their rate;
// nil if they do not.
func (m *measurement) holds(ctx context.Context, clips []*bench.Clip, n int) (*liveRun, error) {
	for range tries {
		m.say("%d cameras, for %v", n, m.cli.For)
		try := bench.Try{Cameras: n}
		r, err := m.runLive(ctx, clips, n)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch {
		case err != nil && n == 1:
			return nil, err
		case err != nil:
			try.Why = err.Error()
		default:
			try.In, try.Dropped, try.Slates, try.Cores = r.in, r.dropped, r.live.Slates, r.live.Cores
			try.P99 = bench.QuantilesOf(r.hist[bench.Added]).P99
			if r.leaks != nil {
				try.Exposed, try.Faces = r.leaks.Exposed, r.leaks.Faces
			}
		}
		try.Judge()
		m.result.Capacity.Tries = append(m.result.Capacity.Tries, try)
		if try.Held {
			m.say("%d cameras hold their rate; %.2f cores, added latency p99 %.1f ms", n, try.Cores, try.P99)
			return r, nil
		}
		m.say("%d cameras do not hold: %s", n, try.Why)
		if try.Exposed > 0 {
			break
		}
	}
	return nil, nil //nolint:nilnil // they do not
}
