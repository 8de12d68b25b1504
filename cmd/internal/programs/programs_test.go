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
		require.Len(t, s, n, "else the program fails that writes it")
	}
	require.True(t, strings.HasPrefix(w.String(), "one two three three"))
	require.LessOrEqual(t, len(w.String()), maxReadyBytes)
}

// script returns a program of the name that does as the shell script says.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-camera")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700))
	return path
}

func TestCameraThatDoesNotStartSaysWhy(t *testing.T) {
	for text, says := range map[string]string{
		"echo 'scrim-camera: no room' >&2; exit 1": "it did not start: no room",
		"exit 0":     "it ended and said nothing; is that scrim-camera?",
		"echo hello": "it ended and said nothing; is that scrim-camera?",
	} {
		path := script(t, text)
		_, err := StartCamera(t.Context(), path)
		require.ErrorContains(t, err, says)
		require.False(t, strings.HasSuffix(err.Error(), ": "), err)
	}
	c, err := StartCamera(t.Context(), script(t, `echo '{"url":"rtsp://127.0.0.1:1/a"}'; read -r end`))
	require.NoError(t, err)
	require.Equal(t, "rtsp://127.0.0.1:1/a", c.URL)
	c.Close()
}

// said are the log's lines.
func said(t *testing.T, model config.Model) (ipc.DetectConfig, string, error) {
	t.Helper()
	var log strings.Builder
	d, err := Detector(model, slog.New(slog.NewTextHandler(&log, nil)))
	return d, log.String(), err
}

func TestWithoutAnyFileTheBuiltInModelIsTaken(t *testing.T) {
	t.Setenv(models.EnvDirs, t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	own := models.BuiltIn()
	d, log, err := said(t, "scrim-face")
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{ModelName: "scrim-face", SHA256: own.SHA256}, d, "no path: it is in the redactor")
	require.Regexp(t, `^\S+ level=INFO msg="face detection model" name=scrim-face file="built in"\n$`, log)
	testenv.Need(t, testenv.NoModels)
	d, _, err = said(t, config.ModelAuto)
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{ModelName: "scrim-face", SHA256: own.SHA256}, d)
}

func TestModelThatWasNamedIsTakenOrAnError(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(models.EnvDirs, dir)
	file := filepath.Join(dir, "mine.onnx")
	require.NoError(t, os.WriteFile(file, []byte("some network"), 0o600))
	d, _, err := said(t, config.Model(file))
	require.NoError(t, err)
	require.Equal(t, ipc.DetectConfig{Model: file, ModelName: "mine", SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("some network")))}, d)

	small := models.Known()[2]
	require.NoError(t, os.WriteFile(filepath.Join(dir, small.File), []byte("half a model"), 0o600))
	_, log, err := said(t, config.Model(small.Name))
	require.ErrorIs(t, err, models.ErrCorrupt)
	require.Empty(t, log)
	_, _, err = said(t, config.Model(filepath.Join(dir, "gone.onnx")))
	require.ErrorContains(t, err, "gone.onnx")
}
