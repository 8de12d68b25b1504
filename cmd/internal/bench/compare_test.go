package bench

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/cli"
	"scrim/pipeline/atomicfile"
	"scrim/pipeline/measure"
)

// runs returns n values around a middle, within a share of it.
func runs(n int, middle, spread float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = middle * (1 + spread*(2*float64(i*7%n)/float64(max(n-1, 1))-1))
	}
	return out
}

func TestComparisonReportsOnlyDifferencesAboveTheNoise(t *testing.T) {
	const cpu = "cpu_ms_per_frame"
	for name, c := range map[string]struct {
		a, b               []float64
		windowsA, windowsB []float64
		want               Verdict
		by                 string
	}{
		"clearly less":            {a: runs(5, 30, 0.02), b: runs(5, 20, 0.02), want: Better, by: "runs"},
		"clearly more":            {a: runs(5, 20, 0.02), b: runs(5, 30, 0.02), want: Worse, by: "runs"},
		"the same":                {a: runs(6, 20, 0.05), b: runs(6, 20, 0.05), want: Indistinguishable, by: "runs"},
		"more, within the noise":  {a: runs(6, 20, 0.2), b: runs(6, 21, 0.2), want: Indistinguishable, by: "runs"},
		"sure, and too small":     {a: runs(9, 20, 0.0001), b: runs(9, 20.1, 0.0001), want: Indistinguishable, by: "runs"},
		"three runs show nothing": {a: runs(3, 30, 0.01), b: runs(3, 20, 0.01), want: Unknown, by: "runs"},
		"seconds instead of runs": {a: runs(1, 30, 0), b: runs(1, 20, 0), windowsA: runs(20, 30, 0.1), windowsB: runs(20, 20, 0.1), want: Better, by: "seconds"},
		"few seconds show nothing": {a: runs(1, 30, 0), b: runs(1, 20, 0), windowsA: runs(4, 30, 0.1), windowsB: runs(4, 20, 0.1),
			want: Indistinguishable, by: "seconds"},
		"four runs are just enough": {a: runs(4, 30, 0.01), b: runs(4, 20, 0.01), want: Better, by: "runs"},
		"nothing to compare with":   {a: nil, b: runs(4, 20, 0.01)},
		"missing in B":              {a: runs(4, 20, 0.01), b: nil, want: Worse, by: "missing in B"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Result{Runs: map[string][]float64{cpu: c.a}, Windows: map[string][]float64{cpu: c.windowsA}}
			b := &Result{Runs: map[string][]float64{cpu: c.b}, Windows: map[string][]float64{cpu: c.windowsB}}
			if c.a == nil {
				delete(a.Runs, cpu)
			}
			got := Compare(a, b)
			if c.want == "" {
				require.Empty(t, got.Rows)
				return
			}
			require.Len(t, got.Rows, 1)
			require.Equal(t, c.want, got.Rows[0].Verdict)
			require.Equal(t, c.by, got.Rows[0].By)
			require.Equal(t, c.want == Worse, got.Worse())
		})
	}
}

func TestMoreCamerasAreBetter(t *testing.T) {
	a := &Result{Runs: map[string][]float64{"cameras": {4, 4, 4, 5}}}
	b := &Result{Runs: map[string][]float64{"cameras": {7, 7, 8, 7}}}
	require.Equal(t, Better, Compare(a, b).Rows[0].Verdict)
	require.Equal(t, Worse, Compare(b, a).Rows[0].Verdict)
}

// TestSpeedCannotBeBoughtWithExposure has a B that is three times as fast as A, but
// breaks one constraint each.
func TestSpeedCannotBeBoughtWithExposure(t *testing.T) {
	const cpu = "cpu_ms_per_frame"
	for name, c := range map[string]struct {
		measure string
		a, b    []float64
		want    Verdict
	}{
		"one more exposed face":                 {"exposed_share", []float64{0, 0, 0.01, 0, 0}, []float64{0.01, 0.02, 0.01, 0, 0}, Worse},
		"A's worst run in every run":            {"exposed_share", []float64{0.02, 0, 0, 0}, []float64{0.02, 0.02, 0.02, 0.02}, Worse},
		"one run that is worse than A's worst":  {"exposed_share", []float64{0, 0.01, 0, 0}, []float64{0, 0, 0, 0.02}, Worse},
		"exposure missing in B":                 {"exposed_share", []float64{0, 0, 0, 0}, nil, Worse},
		"small and turned faces":                {"hard_exposed_share", []float64{0.1, 0.1, 0.1, 0.1}, []float64{0.1, 0.2, 0.2, 0.2}, Worse},
		"small and turned faces not counted":    {"hard_exposed_share", []float64{0.1, 0.1, 0.1, 0.1}, nil, Worse},
		"half of the picture hidden":            {"false_area_mean", []float64{0.02, 0.02, 0.02, 0.02}, []float64{0.5, 0.5, 0.5, 0.5}, Worse},
		"900 pictures dropped where one was":    {"dropped_share", []float64{0.001, 0.001, 0.001, 0.001}, []float64{0.9, 0.9, 0.9, 0.9}, Worse},
		"one picture dropped where none was":    {"dropped_share", []float64{0, 0, 0, 0}, []float64{0, 0, 0.001, 0}, Worse},
		"slates instead of pictures":            {"slates", []float64{0, 0, 0, 0}, []float64{0, 3, 0, 0}, Worse},
		"latency missing in B":                  {"added_latency_ms.p99", []float64{20, 20, 20, 20}, nil, Worse},
		"fewer cameras":                         {"cameras", []float64{7, 7, 7, 7}, []float64{4, 4, 4, 4}, Worse},
		"the same exposure":                     {"exposed_share", []float64{0.02, 0, 0, 0}, []float64{0, 0, 0, 0.02}, Indistinguishable},
		"less exposure":                         {"exposed_share", []float64{0.02, 0.03, 0.02, 0.02}, []float64{0.01, 0.01, 0.01, 0.01}, Better},
		"an area within the slack":              {"false_area_mean", []float64{0.02, 0.021, 0.02, 0.02}, []float64{0.0205, 0.0212, 0.02, 0.02}, Indistinguishable},
		"as many pictures dropped, and not all": {"dropped_share", []float64{0.001, 0, 0, 0}, []float64{0, 0.001, 0, 0}, Indistinguishable},
	} {
		t.Run(name, func(t *testing.T) {
			a := &Result{Runs: map[string][]float64{cpu: runs(4, 30, 0.01), c.measure: c.a}}
			b := &Result{Runs: map[string][]float64{cpu: runs(4, 10, 0.01), c.measure: c.b}}
			got := Compare(a, b)
			require.Len(t, got.Rows, 2)
			require.Equal(t, Better, got.Rows[0].Verdict, "of speed")
			require.Equal(t, c.want, got.Rows[1].Verdict)
			require.Equal(t, c.measure, got.Rows[1].Measure)
			require.Equal(t, c.want == Worse, got.Worse())
			if c.want == Worse {
				require.EqualError(t, got.Check(), "worse in "+c.measure)
			} else {
				require.NoError(t, got.Check())
			}
			var text strings.Builder
			require.NoError(t, got.WriteTable(&text))
			require.Contains(t, text.String(), c.measure)
			require.NotContains(t, text.String(), "NaN")
		})
	}
}

// TestDifferentConditionsAreNamed covers those that make figures incomparable and
// those that may explain a difference.
func TestDifferentConditionsAreNamed(t *testing.T) {
	clip := SourceClip{Name: "20 people, seed 1", Width: 1920, Height: 1080, FPS: 30, Frames: 300, Bitrate: 6e6}
	other, longer := clip, clip
	other.Name = "1 people, seed 1"
	longer.Bitrate, longer.Frames, longer.FPS = 6.1e6, 301, 29.97
	for name, c := range map[string]struct {
		change func(*Result)
		want   string // "" for none
		fatal  bool
	}{
		"nothing":         {change: func(*Result) {}},
		"mode":            {func(r *Result) { r.Mode = "capacity" }, "mode: latency and capacity", true},
		"clip":            {func(r *Result) { r.Source.Clips = []SourceClip{other} }, "source: ", true},
		"bit rate":        {func(r *Result) { r.Source.Clips = []SourceClip{longer} }, "source: ", true},
		"model":           {func(r *Result) { r.Model.SHA256 = "cd" }, "model: ab and cd", true},
		"engine":          {func(r *Result) { r.Model.Name = "yunet-n 640 on opencv" }, "engine: scrim and opencv", true},
		"setting":         {func(r *Result) { r.Settings = map[string]any{"skip_unchanged": false, "repeat": 4} }, "setting skip_unchanged: true and false", true},
		"setting missing": {func(r *Result) { r.Settings = map[string]any{"repeat": 4} }, "setting skip_unchanged: true and <nil>", true},
		"cameras":         {func(r *Result) { r.Cameras = 1 }, "cameras: 2 and 1", true},
		"repetitions":     {func(r *Result) { r.Settings = map[string]any{"skip_unchanged": true, "repeat": 5} }, "setting repeat: 4 and 5", false},
		"instructions":    {func(r *Result) { r.Model.Name = "yunet-n 640 on scrim avx2" }, "instruction set: avx512 and avx2", false},
		"machine":         {func(r *Result) { r.Machine.Cores = 4 }, "machine: one, 2 cores and one, 4 cores", false},
		"library":         {func(r *Result) { r.Versions = map[string]string{"libopencv_core": "410"} }, "version of libopencv_core: 406 and 410", false},
		"a new measure":   {func(r *Result) { r.Runs = map[string][]float64{"cameras": {3}, "slates": {1}} }, "slates: not measured and 1", false},
	} {
		t.Run(name, func(t *testing.T) {
			made := func() *Result {
				return &Result{
					Mode: "latency", Machine: Machine{CPU: "one", Cores: 2}, Settings: map[string]any{"skip_unchanged": true, "repeat": 4}, Cameras: 2,
					Model: Model{Name: "yunet-n 640 on scrim avx512", SHA256: "ab"}, Versions: map[string]string{"libopencv_core": "406"},
					Source: Source{Scene: "busy", Clips: []SourceClip{clip}}, Runs: map[string][]float64{"cameras": {3}},
				}
			}
			b := made()
			c.change(b)
			got := Compare(made(), b)
			if c.want == "" {
				require.Empty(t, got.Differences)
				require.NoError(t, got.Check())
				return
			}
			require.Len(t, got.Differences, 1)
			require.Contains(t, got.Differences[0].String(), c.want)
			require.Equal(t, c.fatal, got.Differences[0].Fatal)
			if c.fatal {
				require.ErrorContains(t, got.Check(), "results are not comparable: different "+got.Differences[0].What)
			} else {
				require.NoError(t, got.Check())
			}
			var text strings.Builder
			require.NoError(t, got.WriteTable(&text))
			require.Contains(t, text.String(), "different "+c.want)
		})
	}
	t.Run("a camera never sends the same twice", func(t *testing.T) {
		a := &Result{Source: Source{URL: "rtsp://…", Clips: []SourceClip{clip}}}
		b := &Result{Source: Source{URL: "rtsp://…", Clips: []SourceClip{longer}}}
		require.Empty(t, Compare(a, b).Differences)
	})
}

func TestResultsWithoutFiguresDoNotPass(t *testing.T) {
	require.ErrorContains(t, Compare(&Result{}, &Result{}).Check(), "no measure in common")
}

func TestWrittenResultsCanBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	r := &Result{
		Schema: Schema, Time: time.Unix(1_700_000_000, 0).UTC(), CPU: 12.5, CPURatio: measure.Number(1.5), Cameras: 3, In: 10, Out: 9, Dropped: 1,
		Runs: map[string][]float64{"cpu_ms_per_frame": {12.5}}, Leaks: &Leaks{Exposed: 2},
	}
	require.NoError(t, atomicfile.Write(path, func(w io.Writer) error { return cli.WriteJSON(w, r) }))
	got, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, r, got)

	for name, c := range map[string]struct{ text, want string }{
		"garbage":      {"{", "not a result of scrim-bench"},
		"another form": {`{"schema": 99}`, "schema 99 instead of 1"},
		"another file": {`{"frame": 1}`, "schema 0"},
	} {
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
		_, err := Read(path)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err = Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPageHoldsItsPlotsAndLoadsNothing(t *testing.T) {
	h := NewHistograms()
	for i := range 200 {
		h.Add(Decode, time.Duration(i)*time.Millisecond)
		h.Add(Added, time.Duration(i)*time.Millisecond)
	}
	r := &Result{
		Offline: &Loop{CPU: 20, Seconds: []float64{19, 20, 21}}, Baseline: &Loop{CPU: 10, Seconds: []float64{9, 10, 11}}, Stages: h.Stages(),
		Peers: []Peer{{Name: "gocv", Loop: &Loop{CPU: 50}}, {Name: "faceblur", Skipped: "it is not there"}}, Live: &Live{Cameras: []CameraLive{{Name: "<a>"}}},
		Percentiles: map[string][][2]float64{Added: h.Percentiles(Added)}, Timeline: []float64{1, 2, 3}, Versions: map[string]string{"go": "1"}, Leaks: &Leaks{},
	}
	var b strings.Builder
	require.NoError(t, r.WriteHTML(&b))
	page := b.String()
	for _, want := range []string{"gocv: 50.00", "scrim-redactor: 20.00", "decode: ", "&lt;a&gt;", "skipped: it is not there", "polyline"} {
		require.Contains(t, page, want)
	}
	for _, not := range []string{"<script", "http://", "https://", "NaN", "<a>"} {
		require.NotContains(t, page, not)
	}
}

// Worse reports whether any measure is worse.
func (c *Comparison) Worse() bool {
	return slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Verdict == Worse })
}
