package camera

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// What cannot be written to a redactor that lives must not leave it without
// input forever.
func TestRedactorThatCannotBeFedIsReplacedAndSaysWhy(t *testing.T) {
	s, _, _ := begin(t, "good")
	s.send(t, "before")
	s.expect(t, "before after redactor restarted true")
	s.send(t, strings.Repeat("x", ipc.MaxBodyBytes+1))
	s.event(t, transport.StateFailed, "over the limit")
	s.send(t, "after")
	s.expect(t, "after after redactor restarted true")
}

// A pipe that is closed says nothing; why it is closed is known elsewhere.
func TestClosedPipeIsNoErrorOfTheWriter(t *testing.T) {
	for _, broken := range []io.WriteCloser{brokenPipe{io.ErrClosedPipe}, closedFile(t), halfPipe(t)} {
		items := make(chan item, 1)
		items <- item{ipc.TypeConfig, ipc.Config{}, nil}
		writeItems(t.Context(), 1, ipc.NewWriter(broken), items, func(e event) { t.Fatalf("%+v", e) }) // returns
	}
}

type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }
func (b brokenPipe) Close() error              { return nil }

// closedFile returns a pipe that this side has closed.
func closedFile(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, w.Close())
	return w
}

// halfPipe returns a pipe that the other side has closed.
func halfPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, r.Close())
	t.Cleanup(func() { _ = w.Close() })
	return w
}
