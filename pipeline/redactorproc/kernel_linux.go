package redactorproc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the processor time that all threads of a process have used so far, with
// a resolution of a nanosecond. It reads the process's clock, because the files in /proc
// of a redactor, which is not dumpable, cannot be read.
func CPUTime(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the inverted process id and the kind of clock.
	const scheduler = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil { //nolint:gosec // a process id
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// Alive reports whether a child has not exited. It does not wait for it.
func Alive(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}

// Runnable reports whether a thread of a process works, or waits for a processor. The
// kernel shows that of any process.
func Runnable(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := os.ReadFile(path) //nolint:gosec // in /proc
		// The name before the state can contain anything.
		if i := bytes.LastIndexByte(stat, ')'); err == nil && i >= 0 && bytes.HasPrefix(stat[i:], []byte(") R")) {
			return true
		}
	}
	return false
}
