package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time of a process so far, of all its threads, to the
// nanosecond.
func CPUTime(pid int) (time.Duration, error) {
	// clock_getcpuclockid(3): the process's id, inverted, and the kind of clock,
	// here that of the scheduler.
	const scheduler = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// Children returns the processes that another has started, those that have ended
// left out.
func Children(parent int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var out []int
	for _, file := range stats {
		stat, err := os.ReadFile(file) //nolint:gosec // of the kernel
		if err != nil {
			continue // it has ended
		}
		// proc(5): pid (name) state parent …
		rest := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(rest) > 1 && rest[1] == strconv.Itoa(parent) && rest[0] != "Z" {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
				out = append(out, pid)
			}
		}
	}
	return out
}

// Memory is how much memory a process has, in bytes.
type Memory struct {
	// PeakRSS is the most that was resident at a time, pages that it shares with
	// others included (VmHWM).
	PeakRSS int64
	// PSS is what is resident now, each shared page divided by its users; 0 where
	// the kernel does not tell.
	PSS int64
	// Private is what is resident now and has no file behind it: heap, stacks, and
	// pages of libraries that were written to. Nobody shares it.
	Private int64
}

// MemoryOf returns the memory of a process.
func MemoryOf(pid int) Memory {
	return Memory{
		PeakRSS: kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:"),
		PSS:     kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:"),
		Private: kilobytes(fmt.Sprintf("/proc/%d/status", pid), "RssAnon:"),
	}
}

// kilobytes reads a line such as "VmHWM:   1234 kB" and returns bytes.
func kilobytes(path, name string) int64 {
	text, err := os.ReadFile(path) //nolint:gosec // of the kernel
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				n, _ := strconv.ParseInt(f[0], 10, 64)
				return n << 10
			}
		}
	}
	return 0
}
