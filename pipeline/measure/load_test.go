package measure

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func named(names ...string) (out []*Truth) {
	for _, n := range names {
		out = append(out, &Truth{Path: "dir/" + n + ".truth.jsonl"})
	}
	return out
}

func reported(names ...string) (out []*Report) {
	for _, n := range names {
		out = append(out, &Report{Path: "r.jsonl", File: n})
	}
	return out
}

func TestNamesDecideWhatBelongsTogether(t *testing.T) {
	pairs, left, err := Match(named("a"), reported("other.mp4"))
	require.NoError(t, err)
	require.Len(t, pairs, 1)
	require.Empty(t, left)

	truths := append(named("a", "b"), &Truth{Path: "c", File: "in/c.jpg", Still: true}, &Truth{Path: "c", File: "c.png", Still: true})
	reports := append(reported("in/b.mp4", "c.png", "x.mp4", "somewhere/c.jpg"), &Report{Path: "dir/a.report.jsonl"})
	pairs, left, err = Match(truths, reports)
	require.NoError(t, err)
	for i, k := range []int{4, 0, 3, 1} {
		require.Same(t, truths[i], pairs[i].Truth)
		require.Same(t, reports[k], pairs[i].Report)
	}
	require.Equal(t, []*Report{reports[2]}, left)
}

func TestWhatDoesNotBelongTogetherIsSaid(t *testing.T) {
	_, _, err := Match(named("a", "b"), reported("a.mp4", "c.mp4"))
	require.ErrorContains(t, err, "b of dir/b.truth.jsonl has no report")
	_, _, err = Match(named("a", "b"), reported("1/a.mp4", "2/a.mp4", "b.mp4"))
	require.ErrorContains(t, err, "several reports")
	_, _, err = Match([]*Truth{{Path: "1", File: "a.mp4"}, {Path: "2", File: "a.mkv"}}, reported("a.mp4", "x"))
	require.ErrorContains(t, err, "both belong to a.mp4")
	_, _, err = Match([]*Truth{{Path: "1", File: "a.jpg", Still: true}}, reported("b.jpg"))
	require.ErrorContains(t, err, "no report", "a still is not taken for another")
}

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

func TestFilesAndFoldersAreLoaded(t *testing.T) {
	report := `{"frame":0,"pts":0,"width":640,"height":360,"regions":[]}`
	dir := folder(t, map[string]string{
		"a.truth.jsonl": truthText, "a.report.jsonl": report, "b.truth.jsonl": truthText, "b.report.jsonl": report, "notes.json": "{", "read.me": "no",
	})
	pairs, left, err := Load([]string{dir}, []string{dir})
	require.NoError(t, err)
	require.Empty(t, left)
	require.Len(t, pairs, 2)
	for _, p := range pairs {
		require.Equal(t, strings.TrimSuffix(p.Truth.Path, ".truth.jsonl"), strings.TrimSuffix(p.Report.Path, ".report.jsonl"))
	}

	// As many files are pairs in order, whatever they are called.
	in := func(name string) string { return filepath.Join(dir, name) }
	pairs, _, err = Load([]string{in("a.truth.jsonl"), in("b.truth.jsonl")}, []string{in("b.report.jsonl"), in("a.report.jsonl")})
	require.NoError(t, err)
	require.Equal(t, in("b.report.jsonl"), pairs[0].Report.Path)

	plain := folder(t, map[string]string{"stills.json": stillsText, "empty.jsonl": "\n"})
	pairs, left, err = Load([]string{filepath.Join(plain, "stills.json")}, []string{folder(t, map[string]string{"all.jsonl": strings.Join([]string{
		`{"file":"b.jpg","frame":0,"width":9,"height":9}`, `{"file":"a.jpg","frame":0,"width":9,"height":9}`, `{"file":"c.jpg","frame":0,"width":9,"height":9}`,
	}, "\n")})})
	require.NoError(t, err)
	require.Len(t, pairs, 2)
	require.Equal(t, "a.jpg", pairs[0].Report.File)
	require.Equal(t, "c.jpg", left[0].File)

	for want, paths := range map[string][2]string{
		"has no frames":                {filepath.Join(plain, "empty.jsonl"), in("a.report.jsonl")},
		"no such file":                 {in("missing"), in("a.report.jsonl")},
		"notes.json:1: ":               {in("notes.json"), in("a.report.jsonl")},
		"neither .jsonl nor .json":     {t.TempDir(), in("a.report.jsonl")},
		"report: " + in("read.me:1: "): {in("b.truth.jsonl"), in("read.me")},
	} {
		_, _, err := Load([]string{paths[0]}, []string{paths[1]})
		require.ErrorContains(t, err, want)
	}
	_, _, err = Load(nil, []string{dir})
	require.ErrorContains(t, err, "--truth")
}
