package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"scrim/pipeline/ipc"
)

// Settle does what execve undoes, and must so be done after Launch: other
// processes of the user can neither trace this one nor read its memory, and it
// leaves no core dump.
func Settle() error {
	var errs []error
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("core dumps off: %w", err))
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("not dumpable: %w", err))
	}
	return errors.Join(errs...)
}

// Confine puts the filter in force and returns which protections hold. It is for
// a process that has opened all that it needs, or by mode Files may open more.
func Confine(mode Mode) ipc.Sandbox {
	_, _ = time.Now().Zone() // whose file is read at the first use
	protections := ipc.Sandbox{
		protection("no_new_privs", "", noNewPrivs()),
		protection("no_core_dumps", "", noDumps()),
		protection("limits", "", checkLimits(mode)),
		protection("environment", "", checkEnvironment()),
	}
	if mode == Camera {
		protections = append(protections, protection("working_directory", "", checkDirectory()))
	}
	detail, err := checkLandlock()
	protections = append(protections, protection("landlock", detail, err))
	err = filter(mode)
	if err == nil {
		err = checkFilter(mode)
	}
	return append(protections, protection("seccomp", "", err))
}

func protection(name, detail string, err error) ipc.Protection {
	p := ipc.Protection{Name: name, Holds: err == nil, Detail: detail}
	if err != nil {
		p.Detail = err.Error()
	}
	return p
}

func noNewPrivs() error {
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err == nil && set != 1 {
		err = errors.New("new privileges are possible")
	}
	return err
}

func noDumps() error {
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err == nil && dumpable != 0 {
		err = errors.New("the process is dumpable")
	}
	return err
}

func checkEnvironment() error {
	for _, e := range os.Environ() {
		if !known(e) {
			return errors.New("it holds more than a redactor needs")
		}
	}
	return nil
}

func checkDirectory() error {
	var buf [unix.PathMax]byte
	if _, err := unix.Getcwd(buf[:]); !errors.Is(err, unix.ENOENT) {
		return errors.New("it is not a private, empty one")
	}
	return nil
}

// attempt is something that the filter must refuse; by itself it does no harm
// and would fail for another reason, or be undone.
type attempt struct {
	what string
	try  func() error
}

// attempts are all that a process of the mode must not be able to do.
func attempts(mode Mode) []attempt {
	out := []attempt{
		{"make a socket", func() error { return closing(unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)) }},
		{"make a local socket", func() error { return closing(unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)) }},
		{"connect", func() error { return unix.Connect(-1, &unix.SockaddrInet4{}) }},
		{"start a program", func() error { return unix.Exec("/nonexistent", []string{"nonexistent"}, nil) }},
		// Signal handlers without memory in common: invalid, so that no process is made.
		{"start a process", func() error { return raw(unix.SYS_CLONE, unix.CLONE_SIGHAND) }},
		{"make memory executable", func() error {
			b, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
			if err == nil {
				_ = unix.Munmap(b)
			}
			return err
		}},
		{"signal another process", func() error { return unix.Kill(1, 0) }},
	}
	if mode == Camera {
		out = append(out,
			attempt{"open a file", func() error { return closing(unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)) }},
			attempt{"make a file", func() error {
				return closing(unix.Open("/nonexistent/file", unix.O_CREAT|unix.O_WRONLY|unix.O_CLOEXEC, 0o600))
			}},
		)
	}
	return out
}

func closing(fd int, err error) error {
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// raw calls the kernel with one argument.
func raw(number, arg uintptr) error {
	_, _, errno := unix.RawSyscall(number, arg, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// checkFilter makes all attempts, in this thread and in another.
func checkFilter(mode Mode) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with it
		done <- tryAll(mode)
	}()
	return errors.Join(tryAll(mode), <-done)
}

func tryAll(mode Mode) error {
	for _, a := range attempts(mode) {
		if err := a.try(); !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("it can %s (%v)", a.what, err) //nolint:errorlint // nil is the worst
		}
	}
	return nil
}
