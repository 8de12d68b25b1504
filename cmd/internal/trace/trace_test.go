package trace

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
	"scrim/transport"
)

func TestLinesAreReadAsTheyWereWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	w, err := Create(path)
	require.NoError(t, err)
	captured := time.Unix(1_700_000_000, 123456789)
	u := &transport.RedactedUnit{Camera: "hall", Captured: captured, PTS: 7, Width: 320, Height: 180, Data: []byte("secret video"), State: transport.StateLive}
	w.Observe(u, &wire.Record{Arrived: 5, Regions: []wire.Region{{Rect: [4]int{1, 2, 3, 4}, Source: "detected"}}, Stages: wire.Stages{Decode: 9}})
	u.State, u.Reason = transport.StateObscured, "starting"
	w.Observe(u, nil)
	require.NoError(t, w.Close())

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(text), "secret", "nothing of the picture is in it")
	var got []Line
	require.NoError(t, Read(strings.NewReader(string(text)), func(l *Line) error {
		got = append(got, *l)
		return nil
	}))
	require.Len(t, got, 2)
	require.Equal(t, []int64{captured.UnixNano(), 5, 12}, []int64{got[0].Captured, got[0].Arrived, int64(got[0].Bytes)})
	require.EqualValues(t, 9, got[0].Stages.Decode)
	require.Equal(t, [4]int{1, 2, 3, 4}, got[0].Regions[0].Rect)
	require.Equal(t, "starting", got[1].Slate)
	require.Nil(t, got[1].Stages)
}

func TestTheLastLineMayBeCutOffAndNoOther(t *testing.T) {
	count := func(text string) (n int, err error) {
		err = Read(strings.NewReader(text), func(*Line) error { n++; return nil })
		return n, err
	}
	n, err := count(`{"camera":"a"}` + "\n" + `{"camera":"b`)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = count(`{"camera":"b` + "\n" + `{"camera":"a"}` + "\n")
	require.ErrorContains(t, err, "line 1")
	_, err = Create(filepath.Join(t.TempDir(), "none", "trace.jsonl"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
