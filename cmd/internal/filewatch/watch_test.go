package filewatch

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// start watches files; next waits for a change.
func start(t *testing.T, files ...string) (next func()) {
	t.Helper()
	f, err := New()
	require.NoError(t, err)
	require.NoError(t, f.Set(files...))
	ctx, cancel := context.WithCancel(t.Context())
	reported, done := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx, func() { reported <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		f.Close()
	})
	return func() {
		t.Helper()
		transporttest.Receive(t, reported, "a change is not reported")
	}
}

func TestEveryKindOfChangeIsReported(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "scrim.yaml")
	write(t, file, "a")
	next := start(t, file)
	for name, change := range map[string]func(){
		"written": func() { write(t, file, "written") },
		"replaced": func() {
			write(t, file+"~", "replaced")
			require.NoError(t, os.Rename(file+"~", file))
		},
		"in several steps": func() {
			require.NoError(t, os.Rename(file, file+".bak"))
			write(t, file, "")
			write(t, file, "steps")
		},
	} {
		t.Run(name, func(*testing.T) {
			change()
			next()
		})
	}
	require.NoError(t, os.Remove(file))
	next()
	write(t, file, "back")
	next()
}

// Kubernetes updates a mounted ConfigMap by replacing a link.
func TestReplacedLinkIsReported(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "scrim.yaml"), "same")
	}
	require.NoError(t, os.Symlink("1", filepath.Join(dir, "data")))
	require.NoError(t, os.Symlink(filepath.Join("data", "scrim.yaml"), filepath.Join(dir, "scrim.yaml")))
	next := start(t, filepath.Join(dir, "scrim.yaml"))
	require.NoError(t, os.Symlink("2", filepath.Join(dir, "data~")))
	require.NoError(t, os.Rename(filepath.Join(dir, "data~"), filepath.Join(dir, "data")))
	next()
}

func TestOtherFilesOfAFolderAreIgnored(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	file, secret := filepath.Join(dir, "scrim.yaml"), filepath.Join(elsewhere, "secret")
	write(t, file, "a")
	write(t, secret, "a")
	f, err := New()
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Set(file))
	write(t, filepath.Join(dir, "other"), "x")
	write(t, secret, "not watched yet")
	require.False(t, f.differ())
	require.NoError(t, f.Set(file, secret))
	require.False(t, f.differ())
	write(t, secret, "seen")
	require.True(t, f.differ())
	require.False(t, f.differ(), "reported once")
	require.NoError(t, f.Set(secret))
	require.Equal(t, []string{elsewhere}, f.notify.WatchList())
	write(t, file, "not any more")
	require.False(t, f.differ())
}

func TestMissingFolderIsAnError(t *testing.T) {
	f, err := New()
	require.NoError(t, err)
	defer f.Close()
	require.ErrorContains(t, f.Set(filepath.Join(t.TempDir(), "none", "file")), "none: no such file")
}
