package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/trace"
	"scrim/pipeline/measure"
	"scrim/pipeline/redactorproc"
	"scrim/transport"
	"scrim/transport/webrtc/wheptest"
)

const (
	// settleTime is how long everything runs before the measurement; drainTime is the
	// wait for the last pictures after it.
	settleTime = 2 * time.Second
	drainTime  = time.Second
	// sampleEvery is the interval of memory samples.
	sampleEvery = time.Second
	watchTime   = 10 * time.Second
	mib         = 1 << 20
)

// liveRun is the result of a run with live cameras.
type liveRun struct {
	live       bench.Live
	hist       bench.Histograms
	deliveries []*bench.Delivery
	pairs      []measure.Pair
	leaks      *bench.Leaks
	// in, out and dropped are of all cameras.
	in, out, dropped int
}

// cpuSample is the CPU time that processes have used until a time.
type cpuSample struct {
	at        time.Time
	scrim     time.Duration
	redactors map[int]time.Duration
}

// runLive runs n cameras at their rate and measures.
func (m *measurement) runLive(ctx context.Context, clips []*bench.Clip, n int) (*liveRun, error) {
	s, err := m.startSite(ctx, clips, n)
	defer s.close()
	if err != nil {
		return nil, err
	}
	if err := s.live(ctx); err != nil {
		return nil, err
	}
	viewers, err := s.watch(ctx, min(m.cli.Viewers, n))
	defer func() {
		for _, v := range viewers {
			v.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	m.logf("all cameras are live")
	if err := s.sleep(ctx, settleTime); err != nil {
		return nil, err
	}
	before, err := s.status(ctx)
	if err != nil {
		return nil, err
	}
	first, sizes := s.sampleCPU(), bench.Sizes{}
	end := first.at.Add(m.cli.For)
	var totals []float64 // of memory, over time
	for now := first.at; now.Before(end); now = time.Now() {
		if err := s.sleep(ctx, min(sampleEvery, end.Sub(now))); err != nil {
			return nil, err
		}
		if total := s.sampleMemory(&sizes); total > 0 {
			totals = append(totals, total)
		}
	}
	sizes.SetTotals(totals)
	last := s.sampleCPU()
	lag := time.Duration(float64(m.cli.Lookahead) / clips[0].FPS() * float64(time.Second))
	if err := s.sleep(ctx, drainTime+lag); err != nil {
		return nil, err
	}
	after, err := s.status(ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range viewers {
		v.close()
	}
	s.stop()
	lines, err := s.trace()
	if err != nil {
		return nil, err
	}
	r := &liveRun{hist: bench.NewHistograms()}
	r.live.Viewers, r.live.Memory, r.live.Seconds = len(viewers), sizes, last.at.Sub(first.at).Seconds()
	window := bench.Window{From: first.at, To: last.at}
	for i, name := range s.names {
		var seen []bench.Seen
		if i < len(viewers) {
			seen = viewers[i].seen
		}
		r.add(s, i, bench.NewDelivery(s.schedule(i), lines[name], seen, i < len(viewers), window), before[name].Counters, after[name].Counters)
	}
	r.cost(first, last, lines)
	r.leaks, err = bench.FindLeaks(r.pairs, measure.Cover(m.cli.Cover))
	return r, err
}

// schedule returns when the pictures of camera i are due; nil for a real camera.
func (s *site) schedule(i int) *bench.Schedule {
	if len(s.cameras) == 0 {
		return nil
	}
	return &bench.Schedule{Clip: s.clips[i], Start: s.cameras[i].Start}
}

// sleep waits, unless scrim exits or ctx ends.
func (s *site) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.done:
		return fmt.Errorf("scrim exited: %s", s.warnings())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sampleCPU reads the processes' CPU times.
func (s *site) sampleCPU() cpuSample {
	sample := cpuSample{redactors: make(map[int]time.Duration)}
	for _, pid := range bench.Children(s.cmd.Process.Pid) {
		if t, err := redactorproc.CPUTime(pid); err == nil {
			sample.redactors[pid] = t
		}
	}
	sample.scrim, _ = redactorproc.CPUTime(s.cmd.Process.Pid) // 0 if it has exited, which sleep reports
	sample.at = time.Now()
	return sample
}

// sampleMemory updates the peaks, and returns the total PSS in MiB; 0 if the kernel
// does not report it.
func (s *site) sampleMemory(sizes *bench.Sizes) float64 {
	scrim := bench.MemoryOf(s.cmd.Process.Pid)
	sizes.ScrimPeak = max(sizes.ScrimPeak, float64(scrim.PeakRSS)/mib)
	total, known := float64(scrim.PSS), scrim.PSS > 0
	for _, pid := range bench.Children(s.cmd.Process.Pid) {
		r := bench.MemoryOf(pid)
		sizes.RedactorPeak = max(sizes.RedactorPeak, float64(r.PeakRSS)/mib)
		sizes.RedactorPSS = max(sizes.RedactorPSS, float64(r.PSS)/mib)
		sizes.RedactorPrivate = max(sizes.RedactorPrivate, float64(r.Private)/mib)
		total, known = total+float64(r.PSS), known && r.PSS > 0
	}
	if !known {
		return 0
	}
	return total / mib
}

// add adds the delivery of one camera.
func (r *liveRun) add(s *site, i int, d *bench.Delivery, before, after transport.Counters) {
	r.deliveries = append(r.deliveries, d)
	r.hist.Merge(d.Histograms)
	dropped := d.In - d.Out
	counted := after.UnitsDropped + after.PicturesDropped + after.PicturesWithheld -
		before.UnitsDropped - before.PicturesDropped - before.PicturesWithheld
	if len(s.cameras) == 0 { // what a real camera sent is known from the counters only
		dropped = int(counted) //nolint:gosec // a count
		d.In = d.Out + dropped
	}
	r.in, r.out, r.dropped = r.in+d.In, r.out+d.Out, r.dropped+dropped
	r.live.Slates += d.Slates
	r.live.Cameras = append(r.live.Cameras, bench.CameraLive{
		Name: s.names[i], Clip: s.clips[i].Name, In: d.In, Out: d.Out, Dropped: dropped, Seen: d.Seen,
		FPS: float64(d.Out) / r.live.Seconds, Slates: d.Slates, Added: bench.QuantilesOf(d.Histograms[bench.Added]),
		UnitsDropped:    after.UnitsDropped - before.UnitsDropped,
		PicturesDropped: after.PicturesDropped - before.PicturesDropped, PicturesWithheld: after.PicturesWithheld - before.PicturesWithheld,
		Restarts: after.Restarts - before.Restarts,
	})
	if s.clips[i].Truth != nil && len(s.cameras) > 0 {
		r.pairs = append(r.pairs, bench.Pair(s.names[i], s.clips[i], d.Shown()))
	}
}

// cost computes the cost of each published picture.
func (r *liveRun) cost(first, last cpuSample, lines map[string][]*trace.Line) {
	l := &r.live
	var cpu time.Duration
	for pid, t := range last.redactors {
		cpu += t - first.redactors[pid] // all of it if the process started during the run
	}
	published, bytes := 0, 0
	var scrim, redactors bytesMeter
	for _, camera := range lines {
		var redactor bytesMeter
		for _, line := range camera {
			if at := time.Unix(0, line.Published); at.Before(first.at) || !at.Before(last.at) {
				continue
			}
			bytes += line.Bytes
			scrim.bound(line.Allocated)
			if line.Stages != nil {
				published++
				redactor.step(line.Stages.Allocated)
			}
		}
		redactors.sum += redactor.sum
	}
	if l.Seconds > 0 {
		l.Bitrate = 8 * float64(bytes) / l.Seconds
		l.Cores = (cpu + last.scrim - first.scrim).Seconds() / l.Seconds
	}
	if published == 0 {
		return
	}
	per := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) / float64(published) }
	l.RedactorCPU, l.ScrimCPU = per(cpu), per(last.scrim-first.scrim)
	l.CPU = l.RedactorCPU + l.ScrimCPU
	l.RedactorBytes = float64(redactors.sum) / float64(published)
	l.ScrimBytes = float64(scrim.most-scrim.from) / float64(published)
}

// bytesMeter evaluates the values of a counter.
type bytesMeter struct {
	begun     bool
	from, now uint64
	most, sum uint64
}

// bound keeps the lowest and the highest value.
func (b *bytesMeter) bound(v uint64) {
	if !b.begun {
		b.begun, b.from = true, v
	}
	b.from, b.most = min(b.from, v), max(b.most, v)
}

// step sums the increments of a counter; a counter that goes back was reset.
func (b *bytesMeter) step(v uint64) {
	if b.begun && v >= b.now {
		b.sum += v - b.now
	}
	b.begun, b.now = true, v
}

// watcher is a viewer that records when pictures arrived.
type watcher struct {
	viewer *wheptest.Viewer
	seen   []bench.Seen // valid after close

	now   bench.Seen
	stamp uint32
	seq   uint16
	whole bool
}

// watch starts viewers of the first n cameras.
func (s *site) watch(ctx context.Context, n int) ([]*watcher, error) {
	ctx, cancel := context.WithTimeout(ctx, watchTime+time.Duration(n)*liveTimeFor)
	defer cancel()
	var out []*watcher
	for _, name := range s.names[:n] {
		w := &watcher{}
		v, err := wheptest.Watch(ctx, s.base, name, w.packet)
		if err != nil {
			return out, err
		}
		w.viewer = v
		out = append(out, w)
	}
	return out, nil
}

// packet handles a packet. A picture counts if none of its packets is missing.
func (w *watcher) packet(p wheptest.Packet) {
	next := p.SequenceNumber == w.seq+1
	if p.Timestamp != w.stamp || w.now.First.IsZero() {
		w.now = bench.Seen{Captured: p.Captured, First: p.Arrived}
		w.stamp, w.whole, next = p.Timestamp, !p.Captured.IsZero(), true
	}
	w.seq = p.SequenceNumber
	w.whole = w.whole && next
	if p.Marker && w.whole {
		w.now.Last = p.Arrived
		w.seen = append(w.seen, w.now)
	}
}

// close ends the session; a second call does nothing.
func (w *watcher) close() {
	if w.viewer != nil {
		w.viewer.Close()
		w.viewer = nil
	}
}

// medians returns the median of each second of values.
func medians(values []float64, fps float64) []float64 {
	var out []float64
	for part := range slices.Chunk(values, max(int(fps+0.5), 1)) {
		if len(part) >= int(fps/2) {
			out = append(out, bench.Median(part))
		}
	}
	return out
}
