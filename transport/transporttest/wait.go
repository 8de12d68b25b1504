package transporttest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for something that must happen. A slow machine
// needs some of it; a test that passes does not.
const patience = time.Minute

// Context returns a context that bounds a wait.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Eventually waits until ok returns true. The test fails with msg if it does not.
func Eventually(t testing.TB, ok func() bool, msg string) {
	t.Helper()
	require.Eventually(t, ok, patience, 5*time.Millisecond, msg)
}

// Receive returns the next value of a channel. The test fails with msg if none comes, or
// if the channel is closed.
func Receive[T any](t testing.TB, ch <-chan T, msg string) T {
	t.Helper()
	select {
	case v, ok := <-ch:
		require.True(t, ok, "channel closed: %s", msg)
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing received: "+msg)
		panic("not reached")
	}
}

// Log is what a logger has written. Its methods may be called from many goroutines.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
