package programs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// cameraTimeout is what a simulated camera gets to come up.
	cameraTimeout = 20 * time.Second
	// closeTimeout is what it gets to end.
	closeTimeout = 2 * time.Second
	// maxReadyBytes bounds what a camera says when it is ready.
	maxReadyBytes = 4096
)

// Camera is a simulated camera that runs as a process of its own.
type Camera struct {
	// URL is where its stream is.
	URL string
	// Start is when its first picture was taken, where it replays a file.
	Start time.Time

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr firstBytes
}

// StartCamera starts scrim-camera and returns when it can be reached. The caller
// closes it.
func StartCamera(ctx context.Context, program string, args ...string) (*Camera, error) {
	c := &Camera{stderr: firstBytes{}}
	c.cmd = exec.Command(program, append(args, "--ready-json", "--exit-with-stdin")...) //nolint:gosec // the program beside this one
	// Ctrl-C is for this program, which then ends the camera.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Stderr = &c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.stdin = stdin
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if err := c.ready(ctx, stdout); err != nil {
		c.Close() // after which all that it said is there
		if errors.Is(err, errNotReady) {
			err = c.failure()
		}
		return nil, err
	}
	return c, nil
}

// failure is what the camera says itself of why it is not ready.
func (c *Camera) failure() error {
	words := strings.TrimPrefix(c.stderr.String(), "scrim-camera: ")
	if words == "" {
		return fmt.Errorf("%s: it ended and said nothing; is that scrim-camera?", c.cmd.Path)
	}
	return fmt.Errorf("%w: %s", errNotReady, words)
}

// errNotReady stands for what the camera says itself.
var errNotReady = errors.New("it did not start")

// ready waits for the camera's line.
func (c *Camera) ready(ctx context.Context, stdout io.Reader) error {
	lines := make(chan []byte, 1)
	go func() { // ends with the process at the latest
		line, _ := bufio.NewReader(io.LimitReader(stdout, maxReadyBytes)).ReadBytes('\n')
		lines <- line
	}()
	timeout := time.NewTimer(cameraTimeout)
	defer timeout.Stop()
	select {
	case line := <-lines:
		var said struct {
			URL   string `json:"url"`
			Start int64  `json:"start"`
		}
		if err := json.Unmarshal(line, &said); err != nil || said.URL == "" {
			return errNotReady
		}
		c.URL, c.Start = said.URL, time.Unix(0, said.Start)
		return nil
	case <-timeout.C:
		return fmt.Errorf("it did not start within %v", cameraTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the camera and waits for that.
func (c *Camera) Close() {
	_ = c.stdin.Close()
	kill := time.AfterFunc(closeTimeout, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Wait()
}

// firstBytes keeps the first maxReadyBytes of what a program writes. It is not safe for
// concurrent use.
type firstBytes struct{ b strings.Builder }

// Write implements io.Writer; it never fails.
func (f *firstBytes) Write(p []byte) (int, error) {
	f.b.Write(p[:min(len(p), maxReadyBytes-f.b.Len())])
	return len(p), nil
}

// String returns what is kept, without space around it.
func (f *firstBytes) String() string { return strings.TrimSpace(f.b.String()) }
