package models

import (
	"bytes"
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

// realModel returns a known model and its bytes.
func realModel(t *testing.T) (Model, []byte) {
	t.Helper()
	found, err := Open(testenv.Model(t))
	require.NoError(t, err)
	require.NotEmpty(t, found.SHA256, "a known model")
	data, err := os.ReadFile(found.Path)
	require.NoError(t, err)
	return found.Model, data
}

func TestKnownModelsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Known() {
		require.NoError(t, m.validate(), m.Name)
		require.Equal(t, strings.ToLower(m.SHA256), m.SHA256, m.Name)
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
	require.Equal(t, "yunet-n", Known()[0].Name)
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
		"resnet": `unknown model "resnet"; known are yunet-n, yunet-s`,
		"":       `unknown model ""; known are yunet-n, yunet-s`,
		"a\nb":   `unknown model "a\nb"; known are yunet-n, yunet-s`,
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
	for _, name := range []string{m.Name, ""} {
		found, err := find([]string{empty, a, b}, name)
		require.NoError(t, err)
		require.Equal(t, Found{m, filepath.Join(a, m.File)}, found)
	}
	t.Setenv(EnvDirs, b)
	found, err := Find(m.Name)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(b, m.File), found.Path)
}

func TestFindNamesWhereItLookedAndTheWayOut(t *testing.T) {
	a, b := t.TempDir(), filepath.Join(t.TempDir(), "absent")
	_, err := find([]string{a, b}, "yunet-s")
	require.ErrorIs(t, err, ErrNotFound)
	require.EqualError(t, err, "model not found: yunet-s is in none of "+a+", "+b+"; get it with `scrim models pull yunet-s`")
	_, err = find([]string{a}, "")
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorContains(t, err, "`scrim models pull yunet-n`")
	_, err = find([]string{a}, "yunet-x")
	require.ErrorIs(t, err, ErrUnknown)
}

func TestFolderThatIsAFileHoldsNoModel(t *testing.T) {
	_, err := find([]string{write(t, t.TempDir(), "file", nil)}, "yunet-n")
	require.ErrorIs(t, err, ErrNotFound)
}

func TestCorruptFileIsAnErrorAndNeverPassedOver(t *testing.T) {
	best, next := Known()[0], Known()[1]
	dir := t.TempDir()
	path := write(t, dir, best.File, []byte("half a model"))
	for _, name := range []string{best.Name, ""} {
		_, err := find([]string{dir, t.TempDir()}, name)
		require.ErrorIs(t, err, ErrCorrupt)
		var corrupt *CorruptError
		require.ErrorAs(t, err, &corrupt)
		require.Equal(t, path, corrupt.Path)
		require.Equal(t, best.SHA256, corrupt.Want)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, Short(corrupt.Got))
		require.ErrorContains(t, err, "25a606a1…0e31")
		require.ErrorContains(t, err, "`scrim models pull yunet-n --dir "+dir+"`")
	}
	_, err := find([]string{dir}, next.Name)
	require.ErrorIs(t, err, ErrNotFound, "another model is not concerned")
}

func TestWholeModelElsewhereDoesNotHideACorruptOne(t *testing.T) {
	m, data := realModel(t)
	corrupt, whole := t.TempDir(), t.TempDir()
	write(t, corrupt, m.File, data[:len(data)-1])
	write(t, whole, m.File, data)
	for _, name := range []string{m.Name, ""} {
		_, err := find([]string{corrupt, whole}, name)
		require.ErrorIs(t, err, ErrCorrupt)
	}
}

func TestEmptyAndHugeFilesAreCorrupt(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, Known()[0].File, nil)
	_, err := find([]string{dir}, "")
	require.ErrorIs(t, err, ErrCorrupt)
	require.NoError(t, os.Truncate(path, MaxBytes+1))
	_, err = find([]string{dir}, "")
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "more than 64 MiB")
}

func TestWhatCannotBeReadIsAnErrorToo(t *testing.T) {
	for name, makeAt := range map[string]func(path string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		// Opening it would block for ever.
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"loop": func(path string) error { return os.Symlink(path, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, Known()[0].File)
			require.NoError(t, makeAt(path))
			for _, name := range []string{"", Known()[0].Name} {
				_, err := find([]string{dir}, name)
				require.ErrorContains(t, err, path)
				require.NotErrorIs(t, err, ErrNotFound)
			}
			_, err := Open(path)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestOpenVouchesForNothingButKnownModels(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "mine.onnx", []byte("some network"))
	found, err := Open(path)
	require.NoError(t, err)
	require.Equal(t, path, found.Path)
	require.Equal(t, "mine", found.Name)
	require.Equal(t, int64(12), found.Size)
	require.Empty(t, found.SHA256)

	m, data := realModel(t)
	path = write(t, dir, "renamed.onnx", data)
	found, err = Open(path)
	require.NoError(t, err)
	require.Equal(t, Found{m, path}, found)
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
