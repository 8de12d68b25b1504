package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// measured is the result of a live measurement of a drawn camera.
type measured struct {
	Headline struct {
		Faces   int `json:"face_frames"`
		Found   int `json:"found"`
		Exposed int `json:"exposed"`
	} `json:"headline"`
	Boxes   int `json:"boxes"`
	Matched int `json:"matched_boxes"`
	Live    []struct {
		Frames      int `json:"frames"`
		Published   int `json:"published"`
		UnderSlates int `json:"frames_under_slates"`
		Dropped     int `json:"dropped"`
		Unmatched   int `json:"unmatched"`
	} `json:"live"`
}

// measuredPictures is enough for faces to come into view.
const measuredPictures = 40

// measureLive draws people in front of a camera, has a worker publish them with some
// settings, and scores the published video from outside.
func measureLive(t *testing.T, settings string, camera ...string) measured {
	t.Helper()
	truth := filepath.Join(t.TempDir(), "truth.jsonl")
	cam := start(t, "scrim-camera", slices.Concat([]string{
		"--listen", "127.0.0.1:0", "--truth", truth, "--size", "640x360", "--fps", "10", "--people", "8", "--seed", "4",
	}, camera)...)
	s := siteOf(t, cam.expect(`^(rtsp://\S+)`), settings, nil)
	cmd := exec.CommandContext(deadline(t, 2*limit), scrimPath(t), "measure", "--truth", truth, //nolint:gosec // of the tests
		"--nats", s.nats, "--site", "test", "--camera", "door", "--pictures", strconv.Itoa(measuredPictures), "--for", "0", "--json", "-")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var m measured
	require.NoError(t, json.Unmarshal(out, &m))
	require.Len(t, m.Live, 1)
	l := m.Live[0]
	require.Equal(t, measuredPictures, l.Published+l.Unmatched)
	require.Equal(t, l.Frames, l.Published+l.UnderSlates+l.Dropped)
	require.LessOrEqual(t, l.Unmatched, 5, "only units before the first sender report have no known frame")
	require.Positive(t, m.Headline.Faces)
	return m
}

func TestLiveRunIsMeasuredFromOutside(t *testing.T) {
	m := measureLive(t, "")
	t.Logf("%d faces, %d found, %d exposed", m.Headline.Faces, m.Headline.Found, m.Headline.Exposed)
	require.GreaterOrEqual(t, 100*m.Headline.Found, 90*m.Headline.Faces, "faces are found at their position in the same picture")
	require.LessOrEqual(t, 100*m.Headline.Exposed, m.Headline.Faces, "%d of %d faces are exposed", m.Headline.Exposed, m.Headline.Faces)
}

// A measurement without leaks proves something only if it can detect leaks. Here the
// detector finds the large face of the self-test, without which nothing would be
// shown, but not the drawn faces.
func TestLiveRunWithoutDetectionsShowsExposure(t *testing.T) {
	m := measureLive(t, "    detect: {threshold: 0.85, size: 320}\n", "--min-face", "16", "--max-face", "22")
	require.Greater(t, 4*m.Headline.Exposed, m.Headline.Faces)
	require.Less(t, 2*m.Headline.Found, m.Headline.Faces)
}

func TestDemoMeasuresWhatItShowed(t *testing.T) {
	p := start(t, "scrim", "demo", "--http", "127.0.0.1:0", "--cameras", "1", "--size", "640x360", "--fps", "10", "--measure")
	s := &site{base: p.expect(`at (http://\S+)`)}
	ctx := deadline(t, 2*limit)
	for s.live(ctx, t).Counters.Pictures < 20 {
		time.Sleep(pollEvery) // the API has no other way
	}
	p.end(syscall.SIGTERM)
	scores := regexp.MustCompile(`(?s)camera lobby: \d+ frames: [1-9]\d* published, \d+ under \d+ slates.*exposed \(less than 95 % covered\)`)
	require.Eventually(t, func() bool { return scores.MatchString(p.output()) }, limit, pollEvery, "the last lines are read a moment later")
}
