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

// RunChild runs a program that goes through a clip and prints a Loop as JSON. The
// CPU time of the whole process is added. The process is killed when ctx ends.
func RunChild(ctx context.Context, name string, args ...string) (*Loop, error) {
	done, err := run(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	l := &Loop{}
	if err := json.Unmarshal(done.stdout, l); err != nil {
		return nil, fmt.Errorf("%s talks nonsense: %w", name, err)
	}
	l.TotalCPU, l.PeakRSS = done.cpu/float64(max(l.Frames, 1)), done.peak
	return l, nil
}

// RunForeign runs a program that knows nothing of this, and returns its CPU time
// in ms and its peak memory in MiB.
func RunForeign(ctx context.Context, name string, args ...string) (cpu, peak float64, err error) {
	done, err := run(ctx, name, args...)
	return done.cpu, done.peak, err
}

// ended is a program that has ended.
type ended struct {
	stdout []byte
	cpu    float64 // ms
	peak   float64 // MiB
}

func run(ctx context.Context, name string, args ...string) (ended, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // chosen here
	// Ctrl-C is for this program, which then kills the other.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &lastBytes{b: &words}
	if err := cmd.Start(); err != nil {
		return ended{}, fmt.Errorf("%s: %w", name, err)
	}
	peak := follow(cmd.Process.Pid)
	err := cmd.Wait()
	most := peak()
	if err != nil {
		if ctx.Err() != nil {
			return ended{}, ctx.Err()
		}
		if said := oneLine(words.String()); said != "" {
			return ended{}, errors.New(said)
		}
		return ended{}, fmt.Errorf("%s: %w", name, err)
	}
	return ended{stdout: out.Bytes(), cpu: cpuOf(cmd.ProcessState), peak: float64(most) / (1 << 20)}, nil
}

// cpuOf is the CPU time of a process that has ended, in ms.
func cpuOf(s *os.ProcessState) float64 { return millis(int64(s.UserTime() + s.SystemTime())) }

// follow looks at a process's peak of memory until the function that it returns is
// called, which returns it. The kernel's own figure for a process that has ended
// (ru_maxrss) includes that of the one that has started it.
func follow(pid int) func() int64 {
	const every = 100 * time.Millisecond
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		var peak int64
		for {
			peak = max(peak, MemoryOf(pid).PeakRSS)
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(every):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-most
	}
}

// maxWords bounds what is kept of a program's log.
const maxWords = 16 << 10

// lastBytes keeps the last of what is written.
type lastBytes struct{ b *bytes.Buffer }

func (l *lastBytes) Write(p []byte) (int, error) {
	l.b.Write(p)
	if over := l.b.Len() - maxWords; over > 0 {
		l.b.Next(over)
	}
	return len(p), nil
}

// oneLine makes text fit for an error: its end, in one line.
func oneLine(s string) string {
	const maxBytes = 500
	return transport.Plain(s[max(0, len(s)-maxBytes):], maxBytes)
}
