package supervise

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// shortages are why a program cannot be started now, and may be later: too many
// processes or open files, too little memory, a file that is being written.
var shortages = []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ETXTBSY}

// launched is a redactor that has been started and waits for its configuration. It
// has two pipes, a log and no environment.
type launched struct {
	program string
	args    []string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	log     *logWriter // has its last words when it has been waited for
}

// launch starts a redactor.
func launch(program string, args []string, log *logWriter) (*launched, error) {
	l := &launched{program: program, args: args, cmd: exec.Command(program, args...), log: log} //nolint:gosec // the program beside this one
	l.cmd.Env = []string{"MALLOC_ARENA_MAX=2", "GOTRACEBACK=single"}
	l.cmd.Dir = "/"
	// In a process group of its own, an interrupt at the terminal reaches this
	// program only, which then ends the redactors in order.
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	l.cmd.Stderr = l.log
	l.cmd.WaitDelay = quitTime
	var err error
	if l.in, err = l.cmd.StdinPipe(); err == nil {
		if l.out, err = l.cmd.StdoutPipe(); err == nil {
			err = l.cmd.Start()
		}
	}
	if err == nil {
		return l, nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok { // which would name the program again
		err = path.Err
	}
	if slices.ContainsFunc(shortages, func(e error) bool { return errors.Is(err, e) }) {
		return nil, fmt.Errorf("start %s: %w; free what the machine is short of", program, err)
	}
	return nil, fmt.Errorf("%w: start %s: %w; install it beside scrim, or name it with --redactor", ErrPermanent, program, err)
}

func (l *launched) kill() { _ = l.cmd.Process.Kill() }

// dismiss ends a redactor that was not used, and waits for that.
func (l *launched) dismiss() {
	_ = l.in.Close()
	_ = l.out.Close()
	quit := time.AfterFunc(quitTime, l.kill)
	defer quit.Stop()
	_ = l.cmd.Wait()
}
