package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func say(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestFileHasItsNameOnlyOnceItIsWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	require.NoError(t, Write(path, say("first, and long")))
	require.NoError(t, Write(path, say("second")))
	failed := errors.New("half")
	require.ErrorIs(t, Write(path, func(w io.Writer) error { return errors.Join(say("th")(w), failed) }), failed)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "second", string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestLinkStaysALink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	require.NoError(t, os.WriteFile(path, []byte("old and long"), 0o600))
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, Write(link, say("new")))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(text))
}

func TestPipesAndDevicesAreWrittenToAndNotReplaced(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	require.NoError(t, Check(pipe), "it waits for no reader")
	got := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		if err != nil {
			text = []byte(err.Error())
		}
		got <- string(text)
	}()
	require.NoError(t, Write(pipe, say("through")))
	require.Equal(t, "through", <-got)
	info, err := os.Stat(pipe)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeNamedPipe)

	// A link of one's own, so that a mistake here does not cost the real device.
	null := filepath.Join(t.TempDir(), "null")
	require.NoError(t, os.Symlink(os.DevNull, null))
	require.NoError(t, Check(null))
	require.NoError(t, Write(null, say("away")))
	info, err = os.Stat(null)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeDevice)
}

// TestRedirectedOutputIsAddedTo is `command --json /dev/stdout > file`.
func TestRedirectedOutputIsAddedTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	_, err = f.WriteString("a table\n")
	require.NoError(t, err)
	fd := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	require.NoError(t, Write(fd, say("{}\n")))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "a table\n{}\n", string(text))
}

func TestWhatCannotBeWrittenIsKnownBefore(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, []byte("kept"), 0o600))
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "a.json"): filepath.Join(dir, "none", "a.json") + ": no such file",
		filepath.Join(file, "a.json"):        "not a directory",
		dir:                                  "is a folder",
	} {
		require.ErrorContains(t, Check(path), want)
		require.ErrorContains(t, Write(path, say("x")), want)
	}
	require.NoError(t, Check(filepath.Join(dir, "new")))
	require.NoError(t, Check(file))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "kept", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}
