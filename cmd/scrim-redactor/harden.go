package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// harden closes the side exits that need no help from outside: a core dump or
// another process's ptrace would hold raw pictures.
func harden() error {
	var errs []error
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("core dumps off: %w", err))
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("not dumpable: %w", err))
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("no new privileges: %w", err))
	}
	return errors.Join(errs...)
}
