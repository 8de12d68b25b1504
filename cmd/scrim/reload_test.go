package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
)

// A gateway takes nothing over while it runs, and says no such thing.
func TestAGatewayTellsOnlyWhatARestartWouldChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scrim.yaml")
	write := func(site, cameras string) {
		text := "site: " + site + "\nnats: {url: 'nats://192.0.2.1:4222'}\ncameras: [" + cameras + "]\n"
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "file" {
			return slog.Attr{}
		}
		return a
	}}))
	const hall = "{name: hall, url: 'rtsp://192.0.2.2/'}"
	write("a", hall)
	s := site{source: config.Source{File: file}, parts: config.HTTPPart}
	cfg, err := s.load(log)
	require.NoError(t, err)
	r := &reloader{site: s, log: log, start: cfg, current: cfg}
	for _, step := range []struct {
		site, cameras string
		asked         bool
		want          string
	}{
		{"a", hall, true, "level=INFO msg=\"configuration unchanged\"\n"},
		{"a", "", false, ""},
		{"a", hall, true, "level=INFO msg=\"no changes relevant to this process\"\n"},
		{"b", hall, false, "level=WARN msg=\"restart required for changed settings\" settings=site\n"},
		{"a", hall, false, ""},
	} {
		out.Reset()
		write(step.site, step.cameras)
		r.reload(t.Context(), step.asked)
		require.Equal(t, step.want, out.String())
	}

	require.NoError(t, os.WriteFile(file, []byte("sight: a\n"), 0o600))
	r.reload(t.Context(), false)
	require.Contains(t, out.String(), "rejected")
	out.Reset()
	write("a", hall)
	r.reload(t.Context(), false)
	require.Equal(t, "level=INFO msg=\"no changes relevant to this process\"\n", out.String(), "after a correction")
}
