package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/config"
	"scrim/cmd/internal/programs"
	"scrim/pipeline/ipc"
	"scrim/pipeline/measure"
)

// measurement is one run of scrim-bench.
type measurement struct {
	cli      *CLI
	log      *slog.Logger
	progress io.Writer

	dir                     string // for temporary files
	scrim, redactor, camera string // paths of programs
	config                  ipc.Config
	source                  []bench.SourceClip
	result                  *bench.Result
	hist                    bench.Histograms
	leaks                   []*bench.Leaks // of the live runs; with --no-live, of those over the clip
	scrimLoops              []*bench.Loop
	baseLoops               []*bench.Loop
}

// logf prints progress.
func (m *measurement) logf(format string, args ...any) {
	fmt.Fprintf(m.progress, "%s  "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// prepare finds the programs and the model.
func (m *measurement) prepare() (err error) {
	p := &m.cli.Programs
	if m.redactor, err = programs.Find("scrim-redactor", "--redactor", p.Redactor); err != nil {
		return err
	}
	if !m.cli.NoLive {
		if m.scrim, err = programs.Find("scrim", "--scrim", p.Scrim); err != nil {
			return err
		}
		if m.camera, err = programs.Find("scrim-camera", "--camera-program", p.Camera); err != nil {
			return err
		}
	}
	detect, err := programs.Detector(m.cli.Model, m.log)
	if err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Site = "bench"
	m.config = cfg.Redactor(&config.Camera{Name: "camera-1", Settings: m.cli.settings()})
	m.config.Epoch = 1
	d := &m.config.Detect
	d.Model, d.ModelName, d.SHA256 = detect.Model, detect.ModelName, detect.SHA256
	return nil
}

// model returns the chosen model, as --model accepts it.
func (m *measurement) model() string { return cmp.Or(m.config.Detect.Model, m.config.Detect.ModelName) }

// run measures everything.
func (m *measurement) run(ctx context.Context) (*bench.Result, error) {
	if err := m.prepare(); err != nil {
		return nil, err
	}
	var err error
	if m.dir, err = os.MkdirTemp("", "scrim-bench-"); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(m.dir) }()
	clips, err := m.clips(ctx)
	if err != nil {
		return nil, err
	}
	m.result = &bench.Result{
		Schema: bench.Schema, Time: time.Now().UTC().Truncate(time.Second), Mode: "latency",
		Machine: bench.ThisMachine(), Versions: bench.Versions(version, m.redactor, m.scrim), Settings: m.cli.resultSettings(),
		Source: bench.Source{Clips: m.source},
		Runs:   make(map[string][]float64), Windows: make(map[string][]float64), Peers: []bench.Peer{}, Stages: []bench.Stage{},
	}
	m.hist = bench.NewHistograms()
	switch {
	case m.cli.live():
		m.result.Source.URL = "rtsp://…" // the URL may hold a password
	case m.cli.Source != "":
		m.result.Source.File = m.source[0].Name
	default:
		m.result.Source.Scene = m.cli.Scene
	}
	for i := range m.cli.Repeat {
		if m.cli.Repeat > 1 {
			m.logf("repetition %d of %d", i+1, m.cli.Repeat)
		}
		if err := m.once(ctx, clips); err != nil {
			return nil, err
		}
	}
	m.peers(ctx, clips[0])
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	m.conclude()
	return m.result, nil
}

// once measures everything once. Scrim and the baseline take turns, so that a machine
// that slows down affects both.
func (m *measurement) once(ctx context.Context, clips []*bench.Clip) error {
	if err := m.offline(ctx, clips[0]); err != nil {
		return err
	}
	switch {
	case m.cli.NoLive:
		return nil
	case m.cli.Capacity:
		return m.capacity(ctx, clips)
	}
	m.logf("%d live cameras, for %v", m.cli.Cameras, m.cli.For)
	r, err := m.runLive(ctx, clips, m.cli.Cameras)
	if err != nil {
		return err
	}
	m.addRun(r, m.cli.Cameras)
	return nil
}

// addRun adds a live run to the result.
func (m *measurement) addRun(r *liveRun, cameras int) {
	res := m.result
	m.hist.Merge(r.hist)
	res.Cameras, res.Live = cameras, &r.live
	res.In, res.Out, res.Dropped = res.In+r.in, res.Out+r.out, res.Dropped+r.dropped
	if r.leaks != nil {
		m.leaks = append(m.leaks, r.leaks)
		m.noteLeaks(r.leaks)
	}
	m.note("dropped_share", share(r.dropped, r.in))
	m.note("slates", float64(r.live.Slates))
	q := bench.QuantilesOf(r.hist[bench.Added])
	m.note("added_latency_ms.p50", q.P50)
	m.note("added_latency_ms.p95", q.P95)
	m.note("added_latency_ms.p99", q.P99)
	m.note("live_cpu_ms_per_frame", r.live.CPU)
	m.note("redactor_peak_rss_mib", r.live.Memory.RedactorPeak)
	m.note("redactor_private_mib", r.live.Memory.RedactorPrivate)
	if len(r.deliveries) > 0 {
		res.Timeline = r.deliveries[0].Added
	}
	for i, d := range r.deliveries {
		fps := m.source[i%len(m.source)].FPS
		res.Windows["added_latency_ms.p50"] = append(res.Windows["added_latency_ms.p50"], medians(d.Added, fps)...)
	}
}

// note keeps the value of a repetition.
func (m *measurement) note(name string, v float64) {
	m.result.Runs[name] = append(m.result.Runs[name], v)
}

// noteLeaks keeps the exposed faces and the falsely obscured area of a repetition.
func (m *measurement) noteLeaks(l *bench.Leaks) {
	m.note("exposed_face_frames", float64(l.Exposed))
	m.note("exposed_share", share(l.Exposed, l.Faces))
	m.note("hard_exposed_share", share(l.HardExposed, l.HardFaces))
	if l.FalseArea.Known() {
		m.note("false_area_mean", float64(l.FalseArea))
	}
}

func share(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// conclude summarises the repetitions: medians of their values, and the times of all
// their pictures.
func (m *measurement) conclude() {
	res := m.result
	res.Stages = m.hist.Stages()
	res.Percentiles = map[string][][2]float64{
		bench.Added: m.hist.Percentiles(bench.Added), bench.AddedViewer: m.hist.Percentiles(bench.AddedViewer),
	}
	res.AddedLatency = bench.QuantilesOf(m.hist[bench.Added])
	if m.hist[bench.Viewer].TotalCount() > 0 {
		q := bench.QuantilesOf(m.hist[bench.AddedViewer])
		res.ViewerLatency = &q
	}
	res.Offline = middle(m.scrimLoops)
	res.CPU = number(bench.Median(res.Runs["cpu_ms_per_frame"]))
	if len(m.baseLoops) > 0 {
		res.Baseline = middle(m.baseLoops)
		res.CPURatio = number(bench.Median(res.Runs["cpu_ratio_to_baseline"]))
	} else {
		res.CPURatio = number(bench.Median(nil))
	}
	for i := range res.Peers {
		p := &res.Peers[i]
		p.Ratio = number(bench.Median(nil))
		if p.Loop != nil && p.Loop.CPU > 0 && res.CPU > 0 {
			p.Ratio = number(p.Loop.CPU / float64(res.CPU))
		}
	}
	if cameras := res.Runs["cameras"]; len(cameras) > 0 {
		res.Cameras = int(bench.Median(cameras)) // rounded down
	}
	res.Leaks = bench.AddLeaks(m.leaks)
	if res.Leaks == nil && res.Offline != nil {
		res.Leaks = res.Offline.Leaks
	}
}

// number converts a value; NaN means not measured.
func number(v float64) measure.Number { return measure.Number(v) }

// middle returns the loop with the median CPU time.
func middle(loops []*bench.Loop) *bench.Loop {
	values := make([]float64, 0, len(loops))
	for _, l := range loops {
		values = append(values, l.CPU)
	}
	want := bench.Median(values)
	var best *bench.Loop
	for _, l := range loops {
		if best == nil || abs(l.CPU-want) < abs(best.CPU-want) {
			best = l
		}
	}
	return best
}

func abs(v float64) float64 { return max(v, -v) }

// offline measures CPU time over the clip, as fast as possible.
func (m *measurement) offline(ctx context.Context, clip *bench.Clip) error {
	fed, err := units(clip)
	if err != nil {
		return err
	}
	feeding := bench.Feeding{Paced: m.cli.Paced, Skip: m.cli.skip(clip)}
	if len(fed) <= feeding.Skip {
		return fmt.Errorf("%s: %d pictures are too few: at least %d are needed", clip.Name, len(fed), feeding.Skip+1)
	}
	m.logf("redactor over %d pictures", len(fed))
	l, shown, model, err := bench.RunRedactor(ctx, m.redactor, m.config, clip, fed, feeding)
	if err != nil {
		return err
	}
	if l.Frames <= feeding.Skip {
		return errors.New("the redactor dropped nearly all pictures")
	}
	m.result.Model = model
	if clip.Truth != nil {
		if l.Leaks, err = bench.FindLeaks([]measure.Pair{bench.Pair(clip.Name, clip, shown)}, measure.Cover(m.cli.Cover)); err != nil {
			return err
		}
		if m.cli.NoLive && l.Leaks != nil {
			m.leaks = append(m.leaks, l.Leaks)
			m.noteLeaks(l.Leaks)
		}
	}
	if m.cli.NoLive {
		m.note("dropped_share", share(l.Dropped, l.Frames+l.Dropped))
	}
	m.scrimLoops = append(m.scrimLoops, l)
	m.note("cpu_ms_per_frame", l.CPU)
	m.result.Windows["cpu_ms_per_frame"] = append(m.result.Windows["cpu_ms_per_frame"], l.Seconds...)
	if !m.cli.Baseline {
		return nil
	}
	m.logf("baseline over %d pictures", len(fed))
	base, err := m.runChild(ctx, "baseline", clip)
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	m.baseLoops = append(m.baseLoops, base)
	m.note("cpu_ratio_to_baseline", l.CPU/base.CPU)
	for i := range min(len(l.Seconds), len(base.Seconds)) {
		m.result.Windows["cpu_ratio_to_baseline"] = append(m.result.Windows["cpu_ratio_to_baseline"], l.Seconds[i]/base.Seconds[i])
	}
	return nil
}
