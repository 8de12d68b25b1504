package camera

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time that a process has used; false if that cannot be
// told. Its clock can be read where its files in /proc cannot: it is not dumpable.
func cpuTime(pid int) (time.Duration, bool) {
	const ofProcess = 2 // CPUCLOCK_SCHED, of all threads
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|ofProcess), &t); err != nil { //nolint:gosec // a process id
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// runs reports whether a child has not ended. It is not waited for.
func runs(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == 0
}

// runnable reports whether a thread of a process works, or waits for a processor. That
// can be read of any process: it is the state alone, and not what the thread does.
func runnable(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := os.ReadFile(path) //nolint:gosec // one of the kernel's
		// The name before the state may hold anything.
		if i := bytes.LastIndexByte(stat, ')'); err == nil && i >= 0 && bytes.HasPrefix(stat[i:], []byte(") R")) {
			return true
		}
	}
	return false
}
