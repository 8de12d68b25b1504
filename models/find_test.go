package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
)

// write puts a file into a folder and returns its path.
func write(t *testing.T, dir, file string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, file)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// realModel returns a known model that is not built in, and its bytes.
func realModel(t *testing.T) (Model, []byte) {
	t.Helper()
	found, err := Open(testenv.Path(t, testenv.YuNet))
	require.NoError(t, err)
	data, err := os.ReadFile(found.Path)
	require.NoError(t, err)
	return found.Model, data
}

func TestKnownModelsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Known() {
		require.Regexp(t, "^[0-9a-f]{64}$", m.SHA256, m.Name)
		require.NotEmpty(t, m.Licence, m.Name)
		require.NotEmpty(t, m.Description, m.Name)
		require.Positive(t, m.Size, m.Name)
		for _, u := range m.URLs {
			require.True(t, strings.HasPrefix(u, "https://"), u)
		}
		for _, key := range []string{m.Name, m.File, m.SHA256} {
			require.False(t, seen[key], "%s twice", key)
			seen[key] = true
		}
	}
	require.False(t, seen[Auto], "it stands for one of them")
	require.Empty(t, Known()[0].URLs, "the first is built in")
	for _, m := range Known()[1:] {
		require.NotEmpty(t, m.URLs, m.Name)
	}
}

func TestLookupSuggestsWhatWasMeant(t *testing.T) {
	m, err := Lookup("yunet-s")
	require.NoError(t, err)
	require.Equal(t, "yunet-s", m.Name)
	for said, want := range map[string]string{
		"YuNet_N": `unknown model "YuNet_N"; did you mean yunet-n?`,
		"yunets":  `unknown model "yunets"; did you mean yunet-s?`,
		"yunet":   `unknown model "yunet"; did you mean yunet-n?`,
		"face_detection_yunet_s.onnx": `unknown model "face_detection_yunet_s.onnx"; ` +
			"did you mean yunet-s?",
		"resnet": `unknown model "resnet"; known are scrim-face, yunet-n, yunet-s`,
		"":       `unknown model ""; known are scrim-face, yunet-n, yunet-s`,
		"a\nb":   `unknown model "a\nb"; known are scrim-face, yunet-n, yunet-s`,
	} {
		_, err := Lookup(said)
		require.ErrorIs(t, err, ErrUnknown)
		require.EqualError(t, err, want)
	}
}

func TestDirsComeInOrderWithoutRepetition(t *testing.T) {
	list := func(dirs ...string) string { return strings.Join(dirs, string(os.PathListSeparator)) }
	here, err := filepath.Abs("rel")
	require.NoError(t, err)
	for name, c := range map[string]struct {
		models, data, home string
		want               []string
	}{
		"environment first":    {"/a", "/data", "/home/u", []string{"/a", "/data/scrim/models", systemDir}},
		"several":              {list("/b", "/a"), "/data", "/home/u", []string{"/b", "/a", "/data/scrim/models", systemDir}},
		"empty elements":       {list("", "/a", ""), "/data", "/home/u", []string{"/a", "/data/scrim/models", systemDir}},
		"relative":             {"rel", "/data", "/home/u", []string{here, "/data/scrim/models", systemDir}},
		"twice":                {list("/a", "/a/", systemDir), "/data", "/home/u", []string{"/a", systemDir, "/data/scrim/models"}},
		"no environment":       {"", "/data", "/home/u", []string{"/data/scrim/models", systemDir}},
		"home":                 {"", "", "/home/u", []string{"/home/u/.local/share/scrim/models", systemDir}},
		"service without home": {"", "", "", []string{systemDir}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(EnvDirs, c.models)
			t.Setenv("XDG_DATA_HOME", c.data)
			t.Setenv("HOME", c.home)
			require.Equal(t, c.want, Dirs())
		})
	}
}

func TestFindVerifiesAndTakesTheFirstFolder(t *testing.T) {
	m, data := realModel(t)
	empty, a, b := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, a, m.File, data)
	write(t, b, m.File, data)
	found, err := find([]string{empty, a, b}, m.Name)
	require.NoError(t, err)
	require.Equal(t, Found{m, filepath.Join(a, m.File)}, found)
	t.Setenv(EnvDirs, b)
	found, err = Find(m.Name)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(b, m.File), found.Path)
}

func TestFindNamesWhereItLookedAndTheWayOut(t *testing.T) {
	a, b := t.TempDir(), filepath.Join(t.TempDir(), "absent")
	_, err := find([]string{a, b}, "yunet-s")
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, "model not found: yunet-s, with SHA-256 8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4, is in none of "+
		a+", "+b+"; get it with `scrim models pull yunet-s`")
	_, err = find([]string{a}, "yunet-x")
	require.ErrorIs(t, err, ErrUnknown)
}

func TestFolderThatIsAFileHoldsNoModel(t *testing.T) {
	_, err := find([]string{write(t, t.TempDir(), "file", nil)}, "yunet-n")
	require.ErrorIs(t, err, ErrNotFound)
}

func TestCorruptFileIsAnErrorAndNeverPassedOver(t *testing.T) {
	m, other := Known()[1], Known()[2]
	dir := t.TempDir()
	path := write(t, dir, m.File, []byte("half a model"))
	_, err := find([]string{dir, t.TempDir()}, m.Name)
	require.ErrorIs(t, err, ErrCorrupt)
	var corrupt *CorruptError
	require.ErrorAs(t, err, &corrupt)
	require.Equal(t, path, corrupt.Path)
	require.Equal(t, m.SHA256, corrupt.Want)
	require.Len(t, corrupt.Got, 64)
	require.ErrorContains(t, err, path+" has SHA-256 "+corrupt.Got+", yunet-n needs SHA-256 "+m.SHA256)
	require.ErrorContains(t, err, "`scrim models pull yunet-n --dir "+dir+"`")
	_, err = find([]string{dir}, other.Name)
	require.ErrorIs(t, err, ErrNotFound, "another model is not concerned")
}

func TestWholeModelElsewhereDoesNotHideACorruptOne(t *testing.T) {
	m, data := realModel(t)
	corrupt, whole := t.TempDir(), t.TempDir()
	write(t, corrupt, m.File, data[:len(data)-1])
	write(t, whole, m.File, data)
	_, err := find([]string{corrupt, whole}, m.Name)
	require.ErrorIs(t, err, ErrCorrupt)
}

func TestEmptyAndHugeFilesAreCorrupt(t *testing.T) {
	dir, m := t.TempDir(), Known()[1]
	path := write(t, dir, m.File, nil)
	_, err := find([]string{dir}, m.Name)
	require.ErrorIs(t, err, ErrCorrupt)
	require.NoError(t, os.Truncate(path, MaxBytes+1))
	_, err = find([]string{dir}, m.Name)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "more than 64 MiB")
}

func TestWhatCannotBeReadIsAnErrorToo(t *testing.T) {
	for name, makeAt := range map[string]func(path string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		// Opening it would block forever.
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"loop": func(path string) error { return os.Symlink(path, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, Known()[1].File)
			require.NoError(t, makeAt(path))
			_, err := find([]string{dir}, Known()[1].Name)
			require.ErrorContains(t, err, path)
			require.NotErrorIs(t, err, ErrNotFound)
			_, err = Open(path)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestOpenPinsWhatTheFileIsNow(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "mine.onnx", []byte("some network"))
	found, err := Open(path)
	require.NoError(t, err)
	require.Equal(t, path, found.Path)
	require.Equal(t, "mine", found.Name)
	require.Equal(t, int64(12), found.Size)
	sum := sha256.Sum256([]byte("some network"))
	require.Equal(t, hex.EncodeToString(sum[:]), found.SHA256)

	path = write(t, dir, "renamed.onnx", Weights())
	found, err = Open(path)
	require.NoError(t, err)
	require.Equal(t, Found{Known()[0], path}, found)
}

func TestOpenRefusesWhatCanBeNoModel(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "absent.onnx"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Open(dir)
	require.ErrorContains(t, err, "is not a file")
	_, err = Open(write(t, dir, "empty.onnx", nil))
	require.ErrorContains(t, err, "is empty")
	huge := write(t, dir, "huge.onnx", bytes.Repeat([]byte{1}, 10))
	require.NoError(t, os.Truncate(huge, MaxBytes))
	_, err = Open(huge)
	require.NoError(t, err, "the limit itself is allowed")
	require.NoError(t, os.Truncate(huge, MaxBytes+1))
	_, err = Open(huge)
	require.ErrorContains(t, err, "too large")
}
