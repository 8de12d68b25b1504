package main

import (
	"context"
	"fmt"

	"scrim/cmd/internal/bench"
)

// tries is how often a number of cameras may fail to hold their rate before it
// counts as too many: other programs disturb now and then.
const tries = 2

// capacity finds the most cameras that hold their rate with nothing dropped: it
// doubles their number until they do not, and halves the distance then.
func (m *measurement) capacity(ctx context.Context, clips []*bench.Clip) error {
	m.result.Mode = "capacity"
	if m.result.Capacity == nil {
		m.result.Capacity = &bench.Capacity{}
	}
	most, few, best := m.cli.MaxCameras, 0, (*liveRun)(nil)
	for n := m.cli.Cameras; few < most; {
		r, err := m.holds(ctx, clips, n)
		if err != nil {
			return err
		}
		if r != nil {
			few, best = n, r
			if most == m.cli.MaxCameras { // nothing has failed so far
				n = min(2*n, most)
			} else {
				n = (few + most + 1) / 2
			}
			continue
		}
		if n == 1 {
			break
		}
		most = n - 1
		n = max((few+most+1)/2, 1)
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
			try.In, try.Dropped, try.Cores = r.in, r.dropped, r.live.Cores
			try.P99 = bench.QuantilesOf(r.hist[bench.Added]).P99
			if r.leaks != nil {
				try.Exposed = r.leaks.Exposed
			}
			switch {
			case r.dropped > 0:
				try.Why = fmt.Sprintf("%d of %d pictures dropped", r.dropped, r.in)
			case r.live.Slates > 0:
				try.Why = fmt.Sprintf("%d slates in place of pictures", r.live.Slates)
			}
		}
		try.Held = try.Why == ""
		m.result.Capacity.Tries = append(m.result.Capacity.Tries, try)
		if try.Held {
			m.say("%d cameras hold their rate; %.2f cores, added latency p99 %.1f ms", n, try.Cores, try.P99)
			return r, nil
		}
		m.say("%d cameras do not hold their rate: %s", n, try.Why)
	}
	return nil, nil //nolint:nilnil // they do not
}
