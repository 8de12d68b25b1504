package pipeline

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact"
	"scrim/redact/obscure"
	"scrim/redact/track"
)

// noLog and noSink discard everything.
var noLog = slog.New(slog.DiscardHandler)

func noSink(ipc.Output, []byte) error { return nil }

func newTracker(lookahead int) redact.Tracker { return track.NewWindow(track.Options{}, lookahead) }

func newParts(t *testing.T) (redact.Obscurer, *scripted) {
	t.Helper()
	obscurer, err := obscure.New(obscure.Options{Style: obscure.Veil})
	require.NoError(t, err)
	return obscurer, &scripted{freed: make(chan struct{})}
}
