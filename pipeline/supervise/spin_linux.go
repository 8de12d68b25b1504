package supervise

import (
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
