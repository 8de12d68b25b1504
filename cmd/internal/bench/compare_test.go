package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/measure"
)

// runs are n values around a middle, by some share.
func runs(n int, middle, spread float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = middle * (1 + spread*(2*float64(i*7%n)/float64(max(n-1, 1))-1))
	}
	return out
}

func TestComparisonSaysWhatTheNoiseAllows(t *testing.T) {
	const cpu = "cpu_ms_per_frame"
	for name, c := range map[string]struct {
		a, b               []float64
		windowsA, windowsB []float64
		want               Verdict
		by                 string
	}{
		"clearly less":             {a: runs(5, 30, 0.02), b: runs(5, 20, 0.02), want: Better, by: "runs"},
		"clearly more":             {a: runs(5, 20, 0.02), b: runs(5, 30, 0.02), want: Worse, by: "runs"},
		"the same":                 {a: runs(6, 20, 0.05), b: runs(6, 20, 0.05), want: Indistinguishable, by: "runs"},
		"more, within the noise":   {a: runs(6, 20, 0.2), b: runs(6, 21, 0.2), want: Indistinguishable, by: "runs"},
		"sure, and too small":      {a: runs(9, 20, 0.0001), b: runs(9, 20.1, 0.0001), want: Indistinguishable, by: "runs"},
		"three runs show nothing":  {a: runs(3, 30, 0.01), b: runs(3, 20, 0.01), want: Unknown, by: "runs"},
		"seconds in place of runs": {a: runs(1, 30, 0), b: runs(1, 20, 0), windowsA: runs(20, 30, 0.1), windowsB: runs(20, 20, 0.1), want: Better, by: "seconds"},
		"few seconds show nothing": {a: runs(1, 30, 0), b: runs(1, 20, 0), windowsA: runs(4, 30, 0.1), windowsB: runs(4, 20, 0.1),
			want: Indistinguishable, by: "seconds"},
		"four runs are just enough":   {a: runs(4, 30, 0.01), b: runs(4, 20, 0.01), want: Better, by: "runs"},
		"nothing on one of the sides": {a: nil, b: runs(4, 20, 0.01)},
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

func TestSpeedCannotBeBoughtWithExposure(t *testing.T) {
	a := &Result{Runs: map[string][]float64{"cpu_ms_per_frame": runs(5, 30, 0.01), "exposed_share": {0, 0, 0.01, 0, 0}}, In: 100}
	b := &Result{Runs: map[string][]float64{"cpu_ms_per_frame": runs(5, 10, 0.01), "exposed_share": {0.01, 0.02, 0.01, 0, 0}}, In: 100, Dropped: 1}
	got := Compare(a, b)
	require.Equal(t, []Verdict{Better, Worse, Worse}, []Verdict{got.Rows[0].Verdict, got.Rows[1].Verdict, got.Rows[2].Verdict})
	require.True(t, got.Worse())
	var text strings.Builder
	require.NoError(t, got.Table(&text))
	require.Contains(t, text.String(), "exposed_share")
}

func TestDifferentConditionsAreNamed(t *testing.T) {
	a := &Result{Machine: Machine{CPU: "one", Cores: 2}, Settings: map[string]any{"gate": true, "tiles": false}}
	b := &Result{Machine: Machine{CPU: "two", Cores: 2}, Settings: map[string]any{"gate": false, "tiles": false}}
	require.Equal(t, []string{"machine: one, 2 cores and two, 2 cores", "setting gate: true and false"}, Compare(a, b).Differences)
}

func TestResultsAreReadAsTheyWereWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	r := &Result{
		Schema: Schema, Time: time.Unix(1_700_000_000, 0).UTC(), CPU: 12.5, CPURatio: measure.Number(1.5), Cameras: 3, In: 10, Out: 9, Dropped: 1,
		Runs: map[string][]float64{"cpu_ms_per_frame": {12.5}}, Leaks: &Leaks{Exposed: 2},
	}
	require.NoError(t, r.Write(path, nil))
	got, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, r, got)

	for name, c := range map[string]struct{ text, want string }{
		"garbage":      {"{", "no result of scrim-bench"},
		"another form": {`{"schema": 99}`, "schema 99 in place of 1"},
		"another file": {`{"frame": 1}`, "schema 0"},
	} {
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
		_, err := Read(path)
		require.ErrorContains(t, err, c.want, name)
	}
	_, err = Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPageHoldsItsPlotsAndNothingForeign(t *testing.T) {
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
