package programs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOfWordsTheFirstAreKept(t *testing.T) {
	w := Words{Most: 8}
	for _, s := range []string{" one", " two", " three", ""} {
		n, err := fmt.Fprint(&w, s)
		require.NoError(t, err)
		require.Len(t, s, n, "else the program fails that says it")
	}
	require.Equal(t, "one two", w.String())
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
