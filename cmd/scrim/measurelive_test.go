package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/measure"
	"scrim/redact/geom"
	"scrim/transport"
	"scrim/transport/bus"
)

// published is a NATS server with a camera that publishes units as soon as
// somebody subscribes, and a truth of one face at 100, 100 that was written
// before.
type published struct {
	url, truth string
}

// publishWhenAsked publishes n units, one a frame, that are as the function makes
// them.
func publishWhenAsked(t *testing.T, n int, unit func(i int, u *transport.RedactedUnit)) published {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0", Log: log})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(t.Context(), bus.Config{Server: server, Log: log})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	asked := make(chan struct{})
	var once sync.Once
	pub, err := conn.Publisher("demo", "door", func() { once.Do(func() { close(asked) }) })
	require.NoError(t, err)
	t.Cleanup(pub.Close)

	began := time.Unix(1_700_000_000, 0)
	p := published{url: server.URL(), truth: filepath.Join(t.TempDir(), "truth.jsonl")}
	f, err := os.Create(p.truth)
	require.NoError(t, err)
	defer f.Close()
	for i := range n {
		at := began.Add(time.Duration(i) * 40 * time.Millisecond)
		fmt.Fprintf(f, `{"frame":%d,"pts":%g,"captured":%d,"width":640,"height":360,`+
			`"faces":[{"person":0,"x":100,"y":100,"w":40,"h":50,"visible":1,"yaw":0,"roll":0}]}`+"\n", 70+i, 0.04*float64(i), at.UnixNano())
	}
	fmt.Fprint(f, `{"frame":999,"pts`) // a line that is being written
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-asked:
		case <-t.Context().Done():
			return
		}
		for i := range n {
			u := &transport.RedactedUnit{
				Camera: "door", Rendition: transport.MainRendition, Epoch: 1, Seq: uint64(i) + 1, //nolint:gosec // small
				Captured: began.Add(time.Duration(i)*40*time.Millisecond + 11*time.Microsecond), Key: i == 0, Codec: "avc1.42c01f",
				Width: 640, Height: 360, State: transport.StateLive, Data: []byte{1},
				Regions: []geom.Region{{
					Rect: image.Rect(80, 70, 160, 180), Face: geom.Box{X: 101, Y: 99, W: 40, H: 50}, Score: 0.9, Source: "detected", Track: 1,
				}},
			}
			unit(i, u)
			_ = pub.Publish(u) // what is missing fails the test
		}
	}()
	t.Cleanup(func() { <-done })
	return p
}

func TestMeasureScoresWhatIsPublished(t *testing.T) {
	p := publishWhenAsked(t, 50, func(i int, u *transport.RedactedUnit) {
		switch {
		case i == 7 || i == 8:
			u.Regions = nil
		case i >= 20 && i < 24: // the camera's pictures are withheld
			u.State, u.Reason, u.Regions = transport.StateObscured, "packet loss", nil
			u.Captured = u.Captured.Add(-20 * time.Millisecond)
		case i == 30:
			u.Captured = u.Captured.Add(9 * time.Millisecond) // of arrival
		}
	})
	args := []string{"measure", "--truth", p.truth, "--nats", p.url, "--site", "demo", "--camera", "door", "--pictures", "46", "--json", "-"}
	status, stdout, stderr := scrim(t, append(args, "--max-run", "1")...)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "longest run of exposed frames is 2, more than 1")
	var result struct {
		Headline struct {
			Faces   int `json:"face_frames"`
			Exposed int `json:"exposed"`
			Found   int `json:"found"`
		} `json:"headline"`
		Leaks []struct {
			First int `json:"first_frame"`
			Last  int `json:"last_frame"`
		} `json:"leaks"`
		Live []map[string]any `json:"live"`
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &result))
	require.Equal(t, []map[string]any{{
		"camera": "door", "frames": 50., "published": 45., "frames_under_slates": 4., "slates": 4., "dropped": 1., "unmatched": 1., "lost": 0.,
	}}, result.Live)
	require.Equal(t, [3]int{49, 2, 43}, [3]int{result.Headline.Faces, result.Headline.Exposed, result.Headline.Found})
	require.Equal(t, [2]int{77, 78}, [2]int{result.Leaks[0].First, result.Leaks[0].Last}, "frames have the scene's numbers")
}

func TestLiveMeasureReportsMistakes(t *testing.T) {
	p := publishWhenAsked(t, 1, func(_ int, u *transport.RedactedUnit) { u.Captured = time.Unix(1, 0) })
	live := []string{"--nats", p.url, "--site", "demo", "--camera", "door", "--pictures", "1"}
	for want, args := range map[string][]string{
		"--report FILE, or --nats":      {"--truth", p.truth},
		"it needs --nats":               {"--truth", p.truth, "--camera", "door"},
		"cannot be used together":       append([]string{"--truth", p.truth, "--report", p.truth}, live...),
		"--nats needs --site":           {"--truth", p.truth, "--nats", p.url},
		"1 cameras and 2 truths":        append([]string{"--truth", p.truth, "--truth", p.truth}, live...),
		"must not be negative":          append([]string{"--truth", p.truth, "--for=-1s"}, live...),
		"none of 1 pictures":            append([]string{"--truth", p.truth}, live...),
		"SCRIM_NO_SUCH_VARIABLE is not": append([]string{"--truth", p.truth, "--nats-password", "env:SCRIM_NO_SUCH_VARIABLE"}, live...),
		"camera no-such: published":     {"--truth", p.truth, "--nats", p.url, "--site", "demo", "--camera", "no-such", "--for", "50ms"},
	} {
		status, stdout, stderr := scrim(t, append([]string{"measure"}, args...)...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
}

// A run takes long; what makes it worth nothing is said before.
func TestLiveMeasureReportsBeforeTheRunWhatWouldFailAfterIt(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	good := file("good.jsonl", "")
	nowhere := []string{"--nats", "nats://127.0.0.1:1", "--site", "demo", "--camera", "door"}
	for want, args := range map[string][]string{
		"no answer; check that the server is running": {"--truth", good, "--html", filepath.Join(dir, "a.html"), "--json", os.DevNull},
		"no such file":             {"--truth", filepath.Join(dir, "nope.jsonl")},
		"camera door: truth: ":     {"--truth", file("garbage.jsonl", "garbage")},
		"without a time of cap":    {"--truth", file("recorded.jsonl", `{"frame":0,"pts":0,"width":64,"height":36,"faces":[]}`+"\n")},
		"is not a regular file":    {"--truth", dir},
		"no/such/folder":           {"--truth", good, "--html", "no/such/folder/x.html"},
		"no/such/place":            {"--truth", good, "--json", "no/such/place/x.json"},
		"is a folder; name a file": {"--truth", good, "--json", dir},
		"--truth-first and":        {"--truth", good, "--report-first", "1"},
		"--report-first, --truth":  {"--truth", good, "--truth-first", "1"},
		"matched by capture time":  {"--truth", good, "--ignore-pts"},
	} {
		status, stdout, stderr := scrim(t, append(append([]string{"measure"}, args...), nowhere...)...)
		require.Equal(t, 1, status, want)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
	require.NoFileExists(t, filepath.Join(dir, "a.html"))
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	require.Empty(t, left, "of trying whether the page can be written")
}

func TestSilentServerIsNotANATSServer(t *testing.T) {
	t.Parallel() // it takes as long as a server may
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	require.NoError(t, os.WriteFile(truth, nil, 0o600))
	status, _, stderr := scrim(t, "measure", "--truth", truth, "--nats", "nats://"+ln.Addr().String(), "--site", "demo", "--camera", "door")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "not a NATS server")
	require.Regexp(t, `^scrim: [^\n]+\n$`, stderr)
}

func TestTooLongRunIsScoredUpToTheLimit(t *testing.T) {
	p := publishWhenAsked(t, 9, func(int, *transport.RedactedUnit) {})
	for name, bound := range map[string]func(*liveRuns){
		"units":   func(l *liveRuns) { l.maxUnits = 4 },
		"regions": func(l *liveRuns) { l.maxRegions = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			ended := 0
			l := newLiveRuns(slog.New(slog.NewTextHandler(&log, nil)), "door")
			l.full = func() { ended++ }
			bound(l)
			for i := range 7 {
				l.add(&transport.RedactedUnit{
					Camera: "door", Captured: time.Unix(1_700_000_000, int64(i)*40_000_000), Width: 640, Height: 360,
					State: transport.StateLive, Regions: make([]geom.Region, 1),
				})
			}
			require.Equal(t, 1, ended)
			require.Equal(t, 1, strings.Count(log.String(), "maximum length of a run reached"))
			runs, err := l.runs([]string{p.truth})
			require.NoError(t, err)
			r, err := measure.ScoreLive(runs, measure.Options{Filter: measure.DefaultFilter})
			require.NoError(t, err)
			require.Equal(t, 4, r.Live[0].Published)
			require.Contains(t, r.Live[0].String(), "CUT")
		})
	}
}

// As with Ctrl-C, the results so far are printed.
func TestMeasureEndsWhenARunBecomesTooLong(t *testing.T) {
	p := publishWhenAsked(t, 9, func(int, *transport.RedactedUnit) {})
	log := slog.New(slog.DiscardHandler)
	f := LiveFlags{NATS: p.url, Site: "demo", Camera: []string{"door"}}
	seen := newLiveRuns(log, "door")
	seen.maxUnits = 4
	r, err := f.measure(t.Context(), []string{p.truth}, seen, measure.Options{Filter: measure.DefaultFilter}, log)
	require.NoError(t, err)
	require.True(t, r.Live[0].Cut)
	require.Equal(t, 4, r.Live[0].Published)
}
