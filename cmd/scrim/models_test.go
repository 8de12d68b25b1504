package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
	"scrim/models/pull"
	"scrim/models/testenv"
)

// modelsFolder makes an empty folder the first where models are looked for.
func modelsFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv(models.EnvDirs, dir)
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	testenv.Need(t, testenv.NoModels)
	return dir
}

// realModelFolder returns a folder with a copy of a known model that is not built in.
func realModelFolder(t *testing.T) (models.Model, string) {
	t.Helper()
	found, err := models.Open(testenv.Path(t, testenv.YuNet))
	require.NoError(t, err)
	data, err := os.ReadFile(found.Path)
	require.NoError(t, err)
	dir := t.TempDir()
	t.Setenv(models.EnvDirs, dir)
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	require.NoError(t, os.WriteFile(filepath.Join(dir, found.File), data, 0o600))
	return found.Model, dir
}

func corruptModel(t *testing.T, dir string, m models.Model) string {
	t.Helper()
	path := filepath.Join(dir, m.File)
	require.NoError(t, os.WriteFile(path, []byte("half a model"), 0o600))
	return path
}

// listed runs `scrim models list --json` and returns the row of a model.
func listed(t *testing.T, name string) modelRow {
	t.Helper()
	status, stdout, stderr := scrim(t, "models", "list", "--json")
	require.Equal(t, 0, status, stderr)
	var rows []modelRow
	require.NoError(t, json.Unmarshal([]byte(stdout), &rows))
	require.Len(t, rows, len(models.Known()))
	for _, r := range rows {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("%s is not listed", name)
	return modelRow{}
}

func TestModelsListShowsMissingCorruptAndUnreadable(t *testing.T) {
	dir := modelsFolder(t)
	own, n, s := models.Known()[0], models.Known()[1], models.Known()[2]
	require.Equal(t, modelRow{
		Name: own.Name, State: modelBuiltIn, Size: own.Size, SHA256: own.SHA256, Licence: own.Licence, Description: own.Description,
	}, listed(t, "scrim-face"))
	require.Equal(t, modelRow{
		Name: n.Name, State: modelMissing, Size: n.Size, SHA256: n.SHA256, Licence: n.Licence, Description: n.Description,
	}, listed(t, n.Name))

	path := corruptModel(t, dir, n)
	require.NoError(t, os.Mkdir(filepath.Join(dir, s.File), 0o700))
	row := listed(t, n.Name)
	require.Equal(t, modelCorrupt, row.State)
	require.Equal(t, path, row.Path)
	require.Contains(t, row.Problem, "scrim models pull yunet-n")
	require.Equal(t, modelUnreadable, listed(t, s.Name).State)

	status, stdout, _ := scrim(t, "models", "list")
	require.Equal(t, 0, status)
	require.Regexp(t, `^NAME +STATE +SIZE +PATH +LICENCE +SHA-256\n`, stdout)
	require.Regexp(t, `\nscrim-face +built-in +\d+ kB +- +`+regexp.QuoteMeta(own.Licence)+` +`+own.SHA256+`\n`, stdout)
	require.Regexp(t, `\nyunet-n +corrupt +318 kB +\S+\.onnx +Apache-2\.0`, stdout)
	require.Regexp(t, `\nyunet-s +unreadable +233 kB +- +Apache-2\.0`, stdout)
}

func TestExistingModelsAreListedVerifiedAndNotFetchedAgain(t *testing.T) {
	m, dir := realModelFolder(t)
	path := filepath.Join(dir, m.File)
	row := listed(t, m.Name)
	require.Equal(t, modelFound, row.State)
	require.Equal(t, path, row.Path)

	good := m.Name + ": " + path + ", SHA-256 " + m.SHA256 + ", good\n"
	for _, args := range [][]string{{"models", "verify", "scrim-face", m.Name}, {"models", "verify", m.Name}, {"models", "pull", m.Name}, {"models", "pull"}} {
		status, stdout, stderr := scrim(t, args...)
		require.Equal(t, 0, status, stderr)
		require.Contains(t, stdout, good, "%q", args)
	}
}

func TestModelsVerifyFailsForMissingOrCorruptModels(t *testing.T) {
	dir := modelsFolder(t)
	own, n, small := models.Known()[0], models.Known()[1], models.Known()[2]
	good := "scrim-face: built in, SHA-256 " + own.SHA256 + ", good\n"
	missing := func(m models.Model) string { return m.Name + ": missing, expected SHA-256 " + m.SHA256 + "\n" }

	status, stdout, stderr := scrim(t, "models", "verify", "scrim-face")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, good, stdout)

	status, stdout, _ = scrim(t, "models", "verify")
	require.Equal(t, 1, status)
	require.Equal(t, good+missing(n)+missing(small), stdout)

	status, stdout, stderr = scrim(t, "models", "verify", "yunet-s", "yunet-n")
	require.Equal(t, 1, status)
	require.Equal(t, missing(small)+missing(n), stdout)
	for _, m := range []models.Model{n, small} {
		require.Contains(t, stderr, m.SHA256)
		require.Contains(t, stderr, "scrim models pull "+m.Name)
	}

	path := corruptModel(t, dir, n)
	status, stdout, stderr = scrim(t, "models", "verify", "yunet-n")
	require.Equal(t, 1, status)
	require.Equal(t, "yunet-n: corrupt, expected SHA-256 "+n.SHA256+"\n", stdout)
	require.Regexp(t, `^scrim: model is corrupt: `+path+` [^\n]+`+n.SHA256+`[^\n]+\n$`, stderr)

	status, stdout, stderr = scrim(t, "models", "verify", "yunet_n")
	require.Equal(t, 1, status)
	require.Empty(t, stdout)
	require.Equal(t, "scrim: unknown model \"yunet_n\"; did you mean yunet-n?\n", stderr)
}

// What is wrong with the content of a file shows without the content that would be right.
func TestPullCopiesAModelFromAFileOrTheMirrorAndVerifiesIt(t *testing.T) {
	dir := modelsFolder(t)
	n := models.Known()[1]
	brought := corruptModel(t, t.TempDir(), n)
	for name, c := range map[string]struct {
		args   []string
		mirror string
	}{
		"file":             {[]string{"--from", brought}, ""},
		"mirror":           {nil, filepath.Dir(brought)},
		"file, not mirror": {[]string{"--from", brought}, "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(pull.EnvMirror, c.mirror)
			status, stdout, stderr := scrim(t, append([]string{"models", "pull"}, c.args...)...)
			require.Equal(t, 1, status)
			require.Empty(t, stdout)
			require.Regexp(t, `^scrim: pull yunet-n: `+brought+`: wrong SHA-256: got [0-9a-f]{64}, expected `+n.SHA256+`;[^\n]+\n$`, stderr)
		})
	}
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPullCopiesAValidModelFromAFile(t *testing.T) {
	m, dir := realModelFolder(t)
	empty := t.TempDir()
	t.Setenv(models.EnvDirs, empty)
	status, stdout, stderr := scrim(t, "models", "pull", m.Name, "--from", filepath.Join(dir, m.File))
	require.Equal(t, 0, status, stderr)
	require.Equal(t, m.Name+": "+filepath.Join(empty, m.File)+", SHA-256 "+m.SHA256+", good\n", stdout)
}

func TestPullOfTheBuiltInModelHasNothingToFetch(t *testing.T) {
	dir := modelsFolder(t)
	status, stdout, stderr := scrim(t, "models", "pull", "scrim-face")
	require.Equal(t, 0, status, stderr)
	require.Equal(t, "scrim-face: built in, SHA-256 "+models.BuiltIn().SHA256+", good\n", stdout)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestPullPrintsThePathOfTheModel(t *testing.T) {
	content := []byte("a network")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }))
	defer server.Close()
	sum := sha256.Sum256(content)
	m := models.Model{Name: "tiny", File: "tiny.onnx", SHA256: hex.EncodeToString(sum[:]), URLs: []string{server.URL}}
	dir := t.TempDir()
	var out bytes.Buffer
	require.NoError(t, pullModel(t.Context(), &out, slog.New(slog.DiscardHandler), m, dir, pull.Options{Client: server.Client()}))
	path := filepath.Join(dir, "tiny.onnx")
	require.Equal(t, "tiny: "+path+", SHA-256 "+m.SHA256+", good\n", out.String())
	require.FileExists(t, path)

	m.SHA256, out = hex.EncodeToString(make([]byte, 32)), bytes.Buffer{}
	require.ErrorIs(t, pullModel(t.Context(), &out, slog.New(slog.DiscardHandler), m, dir, pull.Options{Client: server.Client()}), pull.ErrHash)
	require.Empty(t, out.String(), "what failed is not announced")
}

func TestPullUsesTheGivenFolder(t *testing.T) {
	m, dir := realModelFolder(t)
	t.Setenv(models.EnvDirs, t.TempDir())
	status, stdout, stderr := scrim(t, "models", "pull", m.Name, "--dir", dir)
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, filepath.Join(dir, m.File))
}

func TestProgressIsDrawnWithAndWithoutSize(t *testing.T) {
	for _, size := range []int64{0, 10} {
		var screen bytes.Buffer
		report, wipe := progress(&screen, models.Model{Name: "tiny", Size: size})
		report(0, -1)
		report(10, -1)
		wipe()
		require.Contains(t, screen.String(), "tiny")
	}
}
