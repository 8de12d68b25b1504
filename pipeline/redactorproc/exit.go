package redactorproc

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"scrim/transport"
)

// causes translate crash lines into words of our own, which viewers may see. The lines
// themselves are only for the log: the camera may have chosen them. The first match
// counts.
var causes = []struct{ line, cause string }{
	{"std::bad_alloc", "out of memory"}, {"out of memory", "out of memory"}, {"cannot allocate memory", "out of memory"},
	{"terminate called ", "uncaught C++ exception"}, {"panic: ", "panic"},
	{"free(): ", "memory corrupted"}, {"malloc(): ", "memory corrupted"}, {"double free ", "memory corrupted"}, {"*** stack smashing ", "memory corrupted"},
	{"fatal error: ", "fatal error of Go's runtime"},
}

// ExitReason is the error of a process that exited with another status than 0.
type ExitReason struct {
	// Exit is how, such as "killed by signal SIGKILL".
	Exit string
	// Cause is the reason in words of this package; empty where it is not known.
	Cause string
	// Stderr is one bounded line that the process wrote: why it crashed or, where
	// nobody logs its lines, its last.
	Stderr string
	// Advice is what may help the operator.
	Advice string
}

// Error returns everything, for the log.
func (e *ExitReason) Error() string {
	text := e.Public()
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	if e.Advice != "" {
		text += "; " + e.Advice
	}
	return text
}

// Public returns what viewers may see: nothing in the process's own words.
func (e *ExitReason) Public() string {
	text := "redactor " + e.Exit
	if e.Cause != "" {
		text += ": " + e.Cause
	}
	return text
}

func exitReason(state *os.ProcessState, t *StderrTail) *ExitReason {
	e := &ExitReason{Exit: fmt.Sprintf("exited with status %d", state.ExitCode()), Stderr: transport.Plain(string(t.crash), maxCrashText)}
	for _, c := range causes {
		if strings.Contains(e.Stderr, c.line) {
			e.Cause = c.cause
			break
		}
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	switch {
	case ok && status.Signaled():
		e.signal(status.Signal())
	default:
		// Go's runtime catches the signal of a crash, names it, and exits with a status.
		if name, _, _ := strings.Cut(e.Stderr, ":"); unix.SignalNum(name) != 0 {
			e.Exit += " after " + name
		}
	}
	if e.Stderr == "" && t.log == nil {
		e.Stderr = transport.Plain(string(t.last), maxLastLine)
	}
	return e
}

func (e *ExitReason) signal(s syscall.Signal) {
	e.Exit = "killed by signal " + cmp.Or(unix.SignalName(s), strconv.Itoa(int(s)))
	switch s {
	case syscall.SIGSYS:
		e.Cause = "system call blocked by the sandbox"
	case syscall.SIGKILL: // after which nothing can be written
		e.Advice = "perhaps the machine is out of memory"
	}
}
