package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// measured writes a truth of 100 frames with one face, and a report that covers
// it in all frames but two.
func measured(t *testing.T) (truth, report string) {
	t.Helper()
	var truths, reports strings.Builder
	for i := range 100 {
		head := fmt.Sprintf(`{"frame":%d,"pts":%g,"width":640,"height":360,`, i, 0.04*float64(i))
		truths.WriteString(head + `"faces":[{"person":0,"x":100,"y":100,"w":40,"h":50,"visible":1,"yaw":0,"roll":0}]}` + "\n")
		if i == 7 || i == 8 {
			reports.WriteString(head + `"file":"clip.mp4","regions":[]}` + "\n")
			continue
		}
		reports.WriteString(head + `"file":"clip.mp4","regions":[{"x":90,"y":80,"w":60,"h":80,` +
			`"face":{"x":100,"y":100,"w":40,"h":50},"score":0.9,"source":"detected","track":1}]}` + "\n")
	}
	dir := t.TempDir()
	truth, report = filepath.Join(dir, "clip.truth.jsonl"), filepath.Join(dir, "clip.report.jsonl")
	require.NoError(t, os.WriteFile(truth, []byte(truths.String()), 0o600))
	require.NoError(t, os.WriteFile(report, []byte(reports.String()), 0o600))
	return truth, report
}

func TestMeasurePrintsAndWrites(t *testing.T) {
	truth, report := measured(t)
	page, data := filepath.Join(t.TempDir(), "page.html"), filepath.Join(t.TempDir(), "data.json")
	status, stdout, stderr := scrim(t, "measure", "--truth", truth, "--report", report, "--html", page, "--json", data)
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr)
	require.Regexp(t, `exposed \(less than 95 % covered\) +2, 2\.0 %`, stdout)
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(html), "<!DOCTYPE html>"))
	var result struct {
		Headline struct {
			Exposed int     `json:"exposed"`
			Share   float64 `json:"exposed_share"`
			Run     int     `json:"longest_run_frames"`
		} `json:"headline"`
	}
	text, err := os.ReadFile(data)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &result))
	require.Equal(t, 2, result.Headline.Exposed)
	require.InDelta(t, 0.02, result.Headline.Share, 1e-12)
	require.Equal(t, 2, result.Headline.Run)

	status, stdout, _ = scrim(t, "measure", "--truth", truth, "--report", report, "--json", "-")
	require.Equal(t, 0, status)
	require.JSONEq(t, string(text), stdout)
}

func TestMeasureFailsAboveItsLimits(t *testing.T) {
	truth, report := measured(t)
	for _, c := range []struct {
		flags []string
		says  string
	}{
		{[]string{"--max-exposed", "2%", "--max-run", "2", "--max-false-area", "0%", "--min-coverage", "98%", "--min-recall", "0.98"}, ""},
		{[]string{"--max-exposed", "0.1%"}, "exposed share is 2.0 %"},
		{[]string{"--max-run", "1"}, "longest run of exposed frames is 2, more than 1"},
		{[]string{"--max-run", "1", "--json", "-"}, "longest run of exposed frames is 2, more than 1"},
		{[]string{"--max-area", "1%"}, "obscured area is 2.0 %"},
		{[]string{"--max-exposed", "5%", "--min-size", "60"}, "exposed share was not measured"},
	} {
		status, stdout, stderr := scrim(t, append([]string{"measure", "--truth", truth, "--report", report}, c.flags...)...)
		require.NotEmpty(t, stdout, "the result is printed in any case")
		if c.says == "" {
			require.Equal(t, 0, status, stderr)
			continue
		}
		require.Equal(t, 1, status)
		require.Contains(t, stderr, c.says)
		require.Regexp(t, `^scrim: measure: [^\n]+\n$`, stderr)
	}
}

func TestMeasureReportsMistakes(t *testing.T) {
	truth, report := measured(t)
	bad := filepath.Join(t.TempDir(), "bad.jsonl")
	require.NoError(t, os.WriteFile(bad, []byte("{}\n"), 0o600))
	for want, args := range map[string][]string{
		"--report":               {"--truth", truth},
		bad + ":1: frame":        {"--truth", truth, "--report", bad},
		"missing":                {"--truth", "missing", "--report", report},
		"--max-exposed":          {"--truth", truth, "--report", report, "--max-exposed", "2"},
		"maximum yaw":            {"--truth", truth, "--report", report, "--max-yaw", "200"},
		"no/such/folder":         {"--truth", truth, "--report", report, "--html", "no/such/folder/x.html"},
		"is before the first, 1": {"--truth", truth, "--report", report, "--report-first", "1"},
	} {
		status, _, stderr := scrim(t, append([]string{"measure"}, args...)...)
		require.Equal(t, 1, status, want)
		require.Regexp(t, `^scrim: [^\n]+\n$`, stderr)
		require.Contains(t, stderr, want)
	}
}

func TestMeasureReplacesRegularFilesOnly(t *testing.T) {
	truth, report := measured(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "data.json")
	require.NoError(t, os.WriteFile(data, []byte("old"), 0o600))
	status, _, _ := scrim(t, "measure", "--truth", truth, "--report", report, "--json", data)
	require.Equal(t, 0, status)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "something else is left behind")
	status, _, stderr := scrim(t, "measure", "--truth", truth, "--report", report, "--json", os.DevNull)
	require.Equal(t, 0, status, stderr)
	info, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeCharDevice, "a device was replaced")
}
