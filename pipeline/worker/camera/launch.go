package camera

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	// ended, of one that is watched, is closed when it has ended, or is watched no more.
	ended chan struct{}
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

// watchEnd has ended be closed when the process does. Before its configuration it says
// nothing: whatever comes out of its pipe is the end of that. Nothing is read of it.
func (l *launched) watchEnd() {
	l.ended = make(chan struct{})
	go func() {
		defer close(l.ended)
		conn, err := l.out.(syscall.Conn).SyscallConn()
		if err != nil {
			return
		}
		// The pipe is looked at, and each time that something has happened to it.
		_ = conn.Read(func(fd uintptr) bool {
			p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
			n, err := unix.Poll(p, 0)
			return n > 0 || err != nil
		})
	}()
}

// watchNoMore ends watchEnd before somebody reads of the pipe.
func (l *launched) watchNoMore() {
	if l.ended == nil {
		return
	}
	if out, ok := l.out.(*os.File); ok {
		_ = out.SetReadDeadline(time.Unix(1, 0))
		<-l.ended
		_ = out.SetReadDeadline(time.Time{})
	}
}

// dismiss ends a redactor that was not used, and waits for that.
func (l *launched) dismiss() {
	_ = l.in.Close()
	_ = l.out.Close() // which ends watchEnd as well
	if l.ended != nil {
		<-l.ended
	}
	quit := time.AfterFunc(quitTime, l.kill)
	defer quit.Stop()
	_ = l.cmd.Wait()
	l.log.end()
}
