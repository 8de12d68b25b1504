package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"scrim/pipeline/ipc"
	"scrim/pipeline/sandbox"
)

// hardenedArg marks the second start of the program; see harden.
const hardenedArg = "--hardened"

// harden drops the rights that the program does not need and executes it again, so that
// this applies to all threads: Go and the libraries have already started some. In the
// second start it closes what execve has opened again. The error is what failed; the
// program can continue, and checks later which protections are in force.
func harden() error {
	var errs []error
	if !slices.Contains(os.Args[1:], hardenedArg) {
		errs = append(errs, sandbox.Launch(plan(os.Args[1:]), hardenedArg)) // returns only if it fails
	} else if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		errs = append(errs, errors.New("new privileges are possible; start the program without "+hardenedArg))
	}
	return errors.Join(append(errs, sandbox.Settle())...)
}

// plan returns the protections for the arguments.
func plan(args []string) sandbox.Plan {
	var p sandbox.Plan
	if slices.Contains(args, ipc.FilesArg) {
		p.Mode = sandbox.Files
	}
	for _, a := range args {
		if path, ok := strings.CutPrefix(a, ipc.ReadArg); ok && path != "" {
			p.Read = append(p.Read, path)
		} else if path, ok := strings.CutPrefix(a, ipc.WriteArg); ok && path != "" {
			p.Write = append(p.Write, path)
		}
	}
	return p
}
