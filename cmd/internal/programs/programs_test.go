package programs

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
	"scrim/models"
	"scrim/models/testenv"
	"scrim/pipeline/ipc"
)

func TestFirstBytesAreKept(t *testing.T) {
	var w firstBytes
	for _, s := range []string{" one", " two", strings.Repeat(" three", maxReadyBytes), ""} {
		n, err := fmt.Fprint(&w, s)
		require.NoError(t, err)
		require.Len(t, s, n, "otherwise the writing program fails")
	}
	require.True(t, strings.HasPrefix(w.String(), "one two three three"))
	require.LessOrEqual(t, len(w.String()), maxReadyBytes)
}

// script returns a scrim-camera that is a shell script.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-camera")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700))
	return path
}

func TestCameraThatDoesNotStartReportsTheReason(t *testing.T) {
	for text, want := range map[string]string{
		"echo 'scrim-camera: no room' >&2; exit 1": "scrim-camera did not start: no room",
		"exit 0":     "exited without a message; check that it is scrim-camera",
		"echo hello": "exited without a message; check that it is scrim-camera",
	} {
		path := script(t, text)
		_, err := StartCamera(t.Context(), path)
		require.ErrorContains(t, err, want)
		require.False(t, strings.HasSuffix(err.Error(), ": "), err)
	}
	c, err := StartCamera(t.Context(), script(t, `echo '{"url":"rtsp://127.0.0.1:1/a"}'; read -r end`))
	require.NoError(t, err)
	require.Equal(t, "rtsp://127.0.0.1:1/a", c.URL)
	c.Close()
}

// detector returns the result of Detector and the log.
func detector(t *testing.T, model config.Model) (ipc.DetectConfig, string, error) {
	t.Helper()
	var log strings.Builder
	d, err := Detector(model, slog.New(slog.NewTextHandler(&log, nil)))
	return d, log.String(), err
}

func TestWithoutAnyFileTheBuiltInModelIsUsed(t *testing.T) {
	t.Setenv(models.EnvDirs, t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	own := models.BuiltIn()
	d, log, err := detector(t, "scrim-face")
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{ModelName: "scrim-face", SHA256: own.SHA256}, d, "no path: it is in the redactor")
	require.Regexp(t, `^\S+ level=INFO msg="face detection model" name=scrim-face file="built in"\n$`, log)
	testenv.Need(t, testenv.NoModels)
	d, _, err = detector(t, config.ModelAuto)
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{ModelName: "scrim-face", SHA256: own.SHA256}, d)
}

func TestNamedModelIsUsedOrAnError(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(models.EnvDirs, dir)
	file := filepath.Join(dir, "mine.onnx")
	require.NoError(t, os.WriteFile(file, []byte("some network"), 0o600))
	d, _, err := detector(t, config.Model(file))
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{Model: file, ModelName: "mine", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("some network")))}, d)

	small := models.Known()[2]
	require.NoError(t, os.WriteFile(filepath.Join(dir, small.File), []byte("half a model"), 0o600))
	_, log, err := detector(t, config.Model(small.Name))
	require.ErrorIs(t, err, models.ErrCorrupt)
	require.Empty(t, log)
	_, _, err = detector(t, config.Model(filepath.Join(dir, "gone.onnx")))
	require.ErrorContains(t, err, "gone.onnx")
}
