package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// hardenedArg marks the second start of the program, see harden.
const hardenedArg = "--hardened"

// firstForeignFD is the first descriptor that is none of standard input, output
// and error.
const firstForeignFD = 3

// harden closes the side exits that need no help from outside: a core dump or
// another process's ptrace would hold raw pictures, a descriptor that somebody
// left open could carry them away.
//
// That there are no new privileges is a property of each thread, and of those
// that it starts. By now the libraries and Go have started some, so the program
// starts itself once more from a thread that has the property: it stays over
// execve, the other threads do not. What is said when that fails is an error of
// protection only; the program can go on.
func harden() error {
	var errs []error
	if !slices.Contains(os.Args[1:], hardenedArg) {
		errs = append(errs, again()) // comes back only when it fails
	} else if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		errs = append(errs, errors.New("new privileges are possible; start the program without "+hardenedArg))
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("core dumps off: %w", err))
	}
	// Not earlier: execve sets it back.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("not dumpable: %w", err))
	}
	return errors.Join(errs...)
}

// again starts the program once more in this process, with hardenedArg, without
// new privileges and without foreign descriptors.
func again() error {
	runtime.LockOSThread() // whose properties execve keeps
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if err := dropForeign(); err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("no new privileges in all threads: %w", err)
	}
	err = unix.Exec(exe, append(slices.Clone(os.Args), hardenedArg), os.Environ())
	return fmt.Errorf("no new privileges in all threads: start %s again: %w", exe, err)
}

// dropForeign lets execve close all descriptors but the first three. Closing
// them here could hit one that a library has opened.
func dropForeign() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("foreign descriptors stay open: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= firstForeignFD {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
