package trace

import (
	"bytes"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

func TestWrittenLinesCanBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	w, err := Create(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	captured := time.Unix(1_700_000_000, 123456789)
	u := &transport.RedactedUnit{Camera: "hall", Captured: captured, PTS: 7, Width: 320, Height: 180, Data: []byte("secret video"), State: transport.StateLive}
	w.Observe(u, &ipc.Record{Arrived: 5, Regions: []geom.RegionRecord{{X: 1, Y: 2, W: 3, H: 4, Source: geom.Detected}}, Stages: ipc.Stages{Decode: 9}})
	u.State, u.Reason = transport.StateObscured, "starting"
	w.Observe(u, nil)
	require.NoError(t, w.Close())

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(text), "secret", "it has no picture data")
	var got []Line
	require.NoError(t, Read(strings.NewReader(string(text)), func(l *Line) error {
		got = append(got, *l)
		return nil
	}))
	require.Len(t, got, 2)
	require.Equal(t, []int64{captured.UnixNano(), 5, 12}, []int64{got[0].Captured, got[0].Arrived, int64(got[0].Bytes)})
	require.EqualValues(t, 9, got[0].Stages.Decode)
	require.Equal(t, image.Rect(1, 2, 4, 6), got[0].Regions[0].Rect())
	require.Equal(t, "starting", got[1].Slate)
	require.Nil(t, got[1].Stages)
}

func TestOnlyTheLastLineMayBeIncomplete(t *testing.T) {
	count := func(text string) (n int, err error) {
		err = Read(strings.NewReader(text), func(*Line) error { n++; return nil })
		return n, err
	}
	n, err := count(`{"camera":"a"}` + "\n" + `{"camera":"b`)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = count(`{"camera":"b` + "\n" + `{"camera":"a"}` + "\n")
	require.ErrorContains(t, err, "line 1")
	_, err = Create(filepath.Join(t.TempDir(), "none", "trace.jsonl"), slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTraceIsReadableByItsOwnerOnlyAndReplacesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	log := slog.New(slog.DiscardHandler)
	w, err := Create(path, log)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, os.Chmod(path, 0o644))
	w, err = Create(path, log)
	require.NoError(t, err, "an empty file is reused")
	require.NoError(t, w.Close())
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	_, err = Create(path, log)
	require.ErrorIs(t, err, os.ErrExist)
	require.ErrorContains(t, err, "use another name, or remove it")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "before", string(text))
	w, err = Create(os.DevNull, log)
	require.NoError(t, err, "a device is written to")
	require.NoError(t, w.Close())
}

func TestFailedTraceIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	w, err := Create(testenv.Path(t, testenv.DevFull), slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	u := &transport.RedactedUnit{Camera: "hall", Captured: time.Unix(1, 0)}
	w.Observe(u, nil)
	w.Observe(u, nil)
	require.Equal(t, 1, strings.Count(log.String(), "trace write failed"), log.String())
	require.ErrorContains(t, w.Close(), "no space left")
}
