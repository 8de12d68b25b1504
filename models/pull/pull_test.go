package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// content is the content of the tests' model: more than one read, and no two parts
// alike.
var content = func() []byte {
	b := make([]byte, 300_000)
	for i := range b {
		b[i] = byte(i * i >> 5)
	}
	return b
}()

// modelAt returns a model whose file holds content.
func modelAt(urls ...string) models.Model {
	sum := sha256.Sum256(content)
	return models.Model{Name: "test", File: "test.onnx", SHA256: hex.EncodeToString(sum[:]), URLs: urls, Size: int64(len(content))}
}

// origin is a server that records the Range of each request.
type origin struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func serve(t *testing.T, h http.HandlerFunc) *origin {
	t.Helper()
	o := &origin{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.ranges = append(o.ranges, r.Header.Get("Range"))
		o.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *origin) requests() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string{}, o.ranges...)
}

// whole serves data, with ranges.
func whole(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// noRanges serves data and ignores ranges.
func noRanges(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

// pullFrom pulls with the server's own client, so that no connection outlives
// the test.
func pullFrom(t *testing.T, o *origin, m models.Model, dir string) (string, error) {
	t.Helper()
	return Model(t.Context(), m, dir, Options{Client: o.Client()})
}

// write puts a file into a folder and returns its path.
func write(t *testing.T, dir, file string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, file)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// requireOnly checks that a folder holds exactly these files.
func requireOnly(t *testing.T, dir string, files ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	got := []string{}
	for _, e := range entries {
		got = append(got, e.Name())
	}
	require.ElementsMatch(t, files, got)
}

func requireContent(t *testing.T, path string) {
	t.Helper()
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got), "%s has other bytes", path)
}

func TestPullLeavesOnlyTheVerifiedModel(t *testing.T) {
	o := serve(t, whole(content))
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	var dones, totals []int64
	path, err := Model(t.Context(), modelAt(o.URL), dir, Options{Client: o.Client(), Progress: func(done, total int64) {
		dones, totals = append(dones, done), append(totals, total)
	}})
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "test.onnx"), path)
	requireContent(t, path)
	requireOnly(t, dir, "test.onnx")
	require.Equal(t, []string{""}, o.requests())
	require.IsNonDecreasing(t, dones)
	require.Equal(t, int64(len(content)), dones[len(dones)-1])
	for _, total := range totals {
		require.Equal(t, int64(len(content)), total)
	}
}

func TestPullLeavesAValidFileAsItIs(t *testing.T) {
	o := serve(t, whole(content))
	dir := t.TempDir()
	write(t, dir, "test.onnx", content)
	path, err := pullFrom(t, o, modelAt(o.URL), dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "test.onnx"), path)
	require.Empty(t, o.requests())
}

func TestPullReplacesACorruptFile(t *testing.T) {
	o := serve(t, whole(content))
	dir := t.TempDir()
	write(t, dir, "test.onnx", []byte("not it"))
	path, err := pullFrom(t, o, modelAt(o.URL), dir)
	require.NoError(t, err)
	requireContent(t, path)
}

func TestPullResumesAfterACut(t *testing.T) {
	const cut = 100_000
	first := true
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !first {
			whole(content)(w, r)
			return
		}
		first = false
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:cut])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	dir := t.TempDir()
	_, err := pullFrom(t, o, modelAt(o.URL), dir)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "interrupted after 100000 bytes")
	requireOnly(t, dir, "test.onnx.part")

	path, err := pullFrom(t, o, modelAt(o.URL), dir)
	require.NoError(t, err)
	requireContent(t, path)
	requireOnly(t, dir, "test.onnx")
	require.Equal(t, []string{"", "bytes=100000-"}, o.requests())
}

func TestCancelledPullKeepsThePart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first := true
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !first {
			whole(content)(w, r)
			return
		}
		first = false
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:2000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	dir := t.TempDir()
	m := modelAt(o.URL, o.URL+"/never")
	_, err := Model(ctx, m, dir, Options{Client: o.Client(), Progress: func(done, _ int64) {
		if done == 2000 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	requireOnly(t, dir, "test.onnx.part")
	require.Len(t, o.requests(), 1, "the second URL must not be tried")

	_, err = pullFrom(t, o, m, dir)
	require.NoError(t, err)
	require.Equal(t, []string{"", "bytes=2000-"}, o.requests())
}

func TestCancelledBeforeStartTouchesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "models")
	_, err := Model(ctx, modelAt("https://192.0.2.1/"), dir, Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.NoDirExists(t, dir)
}

func TestConcurrentPullsFetchOnce(t *testing.T) {
	o := serve(t, whole(content))
	dir := t.TempDir()
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { _, errs[i] = pullFrom(t, o, modelAt(o.URL), dir) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	requireContent(t, filepath.Join(dir, "test.onnx"))
	requireOnly(t, dir, "test.onnx")
	require.Len(t, o.requests(), 1)
}

func TestLockOnARemovedFileDoesNotCount(t *testing.T) {
	path := write(t, t.TempDir(), "lock", nil)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.True(t, sameFile(f, path))
	require.NoError(t, os.Rename(path, path+".old"))
	require.False(t, sameFile(f, path))
	write(t, filepath.Dir(path), "lock", nil)
	require.False(t, sameFile(f, path))
}

func TestWaitForTheLockEndsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(t.Context(), filepath.Join(dir, "test.onnx.lock"))
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = Model(ctx, modelAt("https://192.0.2.1/"), dir, Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	requireOnly(t, dir, "test.onnx.lock")
}

func TestPullRefusesModelsThatItCannotVerifyOrStore(t *testing.T) {
	for want, change := range map[string]func(*models.Model){
		"could not be verified":       func(m *models.Model) { m.SHA256 = "" },
		"not be verified":             func(m *models.Model) { m.SHA256 = strings.Repeat("z", 64) },
		"invalid file name":           func(m *models.Model) { m.File = "../test.onnx" },
		"invalid file name \"..\"":    func(m *models.Model) { m.File = ".." },
		"invalid file name \"\"":      func(m *models.Model) { m.File = "" },
		"invalid size 67108865":       func(m *models.Model) { m.Size = models.MaxBytes + 1 },
		"invalid size -1":             func(m *models.Model) { m.Size = -1 },
		"use a file with --from":      func(m *models.Model) { m.URLs = nil },
		"only https URLs":             func(m *models.Model) { m.URLs = []string{"file:///etc/passwd"} },
		"missing protocol scheme":     func(m *models.Model) { m.URLs = []string{":"} },
		" with --from":                func(m *models.Model) { m.URLs = []string{"https://"} },
		"pull other: unknown SHA-256": func(m *models.Model) { m.Name, m.SHA256 = "other", "00" },
	} {
		dir := t.TempDir()
		m := modelAt("https://192.0.2.1/")
		change(&m)
		_, err := Model(t.Context(), m, dir, Options{})
		require.ErrorContains(t, err, want)
		requireOnly(t, dir)
	}
}

func TestUnwritableFolderIsReported(t *testing.T) {
	file := write(t, t.TempDir(), "file", nil)
	_, err := Model(t.Context(), modelAt("https://192.0.2.1/"), filepath.Join(file, "models"), Options{})
	require.ErrorContains(t, err, "use another folder with --dir")
}
