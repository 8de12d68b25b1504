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

const (
	// hardenedArg marks the second start of the program, see harden.
	hardenedArg = "--hardened"
	// readArg and writeArg are followed by a path that the program may read, or
	// below which it may write. They have to be said before it begins.
	readArg  = ipc.ReadArg
	writeArg = ipc.WriteArg
)

// harden gives up what the program does not need and begins it anew, so that it
// holds for all threads: by now the libraries and Go have started some. In the
// second start it closes the side exits that execve has opened again. The error
// says what of that failed; the program can go on, and finds out later what holds.
func harden() error {
	var errs []error
	if !slices.Contains(os.Args[1:], hardenedArg) {
		errs = append(errs, sandbox.Launch(plan(os.Args[1:]), hardenedArg)) // comes back only when it fails
	} else if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		errs = append(errs, errors.New("new privileges are possible; start the program without "+hardenedArg))
	}
	return errors.Join(append(errs, sandbox.Settle())...)
}

// plan is what the arguments say.
func plan(args []string) sandbox.Plan {
	var p sandbox.Plan
	if slices.Contains(args, ipc.FilesArg) {
		p.Mode = sandbox.Files
	}
	for _, a := range args {
		if path, ok := strings.CutPrefix(a, readArg); ok && path != "" {
			p.Read = append(p.Read, path)
		} else if path, ok := strings.CutPrefix(a, writeArg); ok && path != "" {
			p.Write = append(p.Write, path)
		}
	}
	return p
}
