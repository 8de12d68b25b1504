package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Children returns the running child processes of parent.
func Children(parent int) []int {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	var out []int
	for _, file := range stats {
		stat, err := os.ReadFile(file) //nolint:gosec // of the kernel
		if err != nil {
			continue // exited
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

// Memory is the memory of a process, in bytes.
type Memory struct {
	// PeakRSS is the peak of resident memory, including shared pages (VmHWM).
	PeakRSS int64
	// PSS is the resident memory, each shared page divided by its users; 0 if the
	// kernel does not report it.
	PSS int64
	// Private is the resident memory that is not backed by a file: heap, stacks, and
	// modified pages of libraries. It is never shared.
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
