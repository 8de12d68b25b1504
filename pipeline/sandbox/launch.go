package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Plan says what a redactor needs of the world.
type Plan struct {
	Mode Mode
	// Read are files and folders that it may read, Write are those below which it
	// may write, too. Those that are not there are left out.
	Read, Write []string
}

// environment is what may be set for a redactor; all else is taken away.
var environment = []string{"MALLOC_ARENA_MAX", "GOTRACEBACK", "GOMAXPROCS", "GOMEMLIMIT", "LD_LIBRARY_PATH"}

// firstForeign is the first descriptor that is none of standard input, output
// and error.
const firstForeign = 3

// Launch restricts this thread and executes the program again in it, with the same
// arguments and one more. It comes back only when that fails; the error says why.
// What of the restrictions fails is found by Confine.
func Launch(p Plan, marker string) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("execute again: %w", err)
	}
	env := scrubbed()
	// Behind Landlock the new one might not see how many processors it has.
	if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "GOMAXPROCS=") }) {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(runtime.GOMAXPROCS(0)))
	}
	runtime.LockOSThread() // whose properties execve keeps
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	errs := []error{dropForeign()}
	if p.Mode == Camera { // paths of files are relative to where they were named
		errs = append(errs, enterNowhere())
	}
	errs = append(errs, restrict(p.Read, p.Write), setLimits(limits(p.Mode)))
	err = unix.Exec(exe, append(slices.Clone(os.Args), marker), env)
	return errors.Join(append(errs, fmt.Errorf("execute %s again: %w", exe, err))...)
}

// scrubbed is the environment without what is not needed.
func scrubbed() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool { return !known(e) })
}

// known reports whether an entry of the environment may stay.
func known(entry string) bool {
	name, _, _ := strings.Cut(entry, "=")
	return slices.Contains(environment, name)
}

// enterNowhere makes a folder the working directory that is already removed: it
// is empty, nobody else can reach it, nothing can be made in it, and nothing is
// left of it.
func enterNowhere() error {
	for _, base := range []string{os.TempDir(), "/dev/shm", "/run"} {
		dir, err := os.MkdirTemp(base, "scrim-redactor-")
		if err != nil {
			continue
		}
		err = os.Chdir(dir)
		if rerr := os.Remove(dir); err == nil {
			err = rerr
		}
		return err
	}
	return errors.New("no folder can be made for a working directory")
}

// dropForeign lets execve close all descriptors but the first three. Closing
// them here could hit one that a library has opened.
func dropForeign() error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("foreign descriptors stay open: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= firstForeign {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
