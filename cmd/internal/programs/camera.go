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
	// cameraTimeout is the time limit for a simulated camera to start.
	cameraTimeout = 20 * time.Second
	// closeTimeout is the time limit for it to exit.
	closeTimeout = 2 * time.Second
	// maxReadyBytes bounds the line that a camera prints when it is ready.
	maxReadyBytes = 4096
)

// Camera is a simulated camera in a process of its own.
type Camera struct {
	// URL is the URL of its stream.
	URL string
	// Start is the capture time of its first picture, if it replays a file.
	Start time.Time

	cmd    *exec.Cmd
	stdin  io.Closer
	stderr firstBytes
}

// StartCamera starts scrim-camera and returns when it accepts connections. The caller
// must close it.
func StartCamera(ctx context.Context, program string, args ...string) (*Camera, error) {
	c := &Camera{stderr: firstBytes{}}
	c.cmd = exec.Command(program, append(args, "--ready-json", "--exit-with-stdin")...) //nolint:gosec // chosen by the caller
	// Ctrl-C is for this program only, which then stops the camera.
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
		c.Close() // completes stderr
		if errors.Is(err, errNotReady) {
			err = c.failure()
		}
		return nil, err
	}
	return c, nil
}

// failure returns the camera's own error message.
func (c *Camera) failure() error {
	message := strings.TrimPrefix(c.stderr.String(), "scrim-camera: ")
	if message == "" {
		return fmt.Errorf("%s exited without a message; check that it is scrim-camera", c.cmd.Path)
	}
	return fmt.Errorf("%w: %s", errNotReady, message)
}

// errNotReady is replaced by the camera's own message.
var errNotReady = errors.New("scrim-camera did not start")

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
		var ready struct {
			URL   string `json:"url"`
			Start int64  `json:"start"`
		}
		if err := json.Unmarshal(line, &ready); err != nil || ready.URL == "" {
			return errNotReady
		}
		c.URL, c.Start = ready.URL, time.Unix(0, ready.Start)
		return nil
	case <-timeout.C:
		return fmt.Errorf("scrim-camera did not start within %v", cameraTimeout)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops the camera and waits for its exit.
func (c *Camera) Close() {
	_ = c.stdin.Close()
	kill := time.AfterFunc(closeTimeout, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	_ = c.cmd.Wait()
}

// firstBytes keeps the first maxReadyBytes that are written. It is not safe for
// concurrent use.
type firstBytes struct{ b strings.Builder }

// Write implements io.Writer; it never fails.
func (f *firstBytes) Write(p []byte) (int, error) {
	f.b.Write(p[:min(len(p), maxReadyBytes-f.b.Len())])
	return len(p), nil
}

// String returns the kept text without surrounding space.
func (f *firstBytes) String() string { return strings.TrimSpace(f.b.String()) }
