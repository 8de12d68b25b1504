package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"scrim/transport"
)

// RunChild runs a program that processes a clip and prints a Loop as JSON. It adds the
// CPU time of the whole process. The process is killed when ctx ends.
func RunChild(ctx context.Context, name string, args ...string) (*Loop, error) {
	done, err := run(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	l := &Loop{}
	if err := json.Unmarshal(done.stdout, l); err != nil {
		return nil, fmt.Errorf("invalid output of %s: %w", name, err)
	}
	l.TotalCPU, l.PeakRSS = done.cpu/float64(max(l.Frames, 1)), done.peak
	return l, nil
}

// RunExternal runs any other program, and returns its CPU time in ms and its peak
// memory in MiB.
func RunExternal(ctx context.Context, name string, args ...string) (cpu, peak float64, err error) {
	done, err := run(ctx, name, args...)
	return done.cpu, done.peak, err
}

// exited is the result of a program that has exited.
type exited struct {
	stdout []byte
	cpu    float64 // ms
	peak   float64 // MiB
}

func run(ctx context.Context, name string, args ...string) (exited, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // chosen here
	// Ctrl-C is for this program only, which then kills the child.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &tail{b: &stderr}
	if err := cmd.Start(); err != nil {
		return exited{}, fmt.Errorf("%s: %w", name, err)
	}
	peak := trackPeak(cmd.Process.Pid)
	err := cmd.Wait()
	peakRSS := peak()
	if err != nil {
		if ctx.Err() != nil {
			return exited{}, ctx.Err()
		}
		if text := oneLine(stderr.String()); text != "" {
			return exited{}, errors.New(text)
		}
		return exited{}, fmt.Errorf("%s: %w", name, err)
	}
	return exited{stdout: out.Bytes(), cpu: cpuOf(cmd.ProcessState), peak: float64(peakRSS) / (1 << 20)}, nil
}

// cpuOf returns the CPU time of a process that has exited, in ms.
func cpuOf(s *os.ProcessState) float64 { return millis(int64(s.UserTime() + s.SystemTime())) }

// trackPeak polls the peak memory of a process until the returned function is called,
// which returns the peak in bytes. The kernel's figure for an exited process
// (ru_maxrss) includes that of its parent.
func trackPeak(pid int) func() int64 {
	const every = 100 * time.Millisecond
	stop, result := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			peak = max(peak, MemoryOf(pid).PeakRSS)
			select {
			case <-stop:
				result <- peak
				return
			case <-time.After(every):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-result
	}
}

// maxStderr bounds what is kept of a program's log.
const maxStderr = 16 << 10

// tail keeps the last maxStderr bytes of what is written.
type tail struct{ b *bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.b.Write(p)
	if over := t.b.Len() - maxStderr; over > 0 {
		t.b.Next(over)
	}
	return len(p), nil
}

// oneLine returns the end of a text as one line, for an error.
func oneLine(s string) string {
	const maxBytes = 500
	return transport.Plain(s[max(0, len(s)-maxBytes):], maxBytes)
}
