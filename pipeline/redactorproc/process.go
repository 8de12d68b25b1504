package redactorproc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

const (
	// quitTime is how long a process may take to exit after its input is closed.
	quitTime = 2 * time.Second
	// checkTime bounds CheckSandbox, and maxSandboxBytes its answer.
	checkTime       = 20 * time.Second
	maxSandboxBytes = 64 << 10
	// maxFailure bounds the reason of a Failure, in bytes.
	maxFailure = 500
)

// shortages are errors that go away when the machine has processes, files or memory to
// spare, or when the program has been written.
var shortages = []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ETXTBSY}

// IsShortage reports whether Start failed for want of something that the machine may
// have later.
func IsShortage(err error) bool {
	return slices.ContainsFunc(shortages, func(e error) bool { return errors.Is(err, e) })
}

// PipeClosed reports whether a Write failed because the pipe is closed, at either end.
// Wait says why.
func PipeClosed(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// Failure is the error that a redactor reports before it exits.
type Failure struct {
	Reason string // one bounded line
	// Permanent means that another try cannot help.
	Permanent bool
}

func (f *Failure) Error() string { return f.Reason }

// Options describe a process.
type Options struct {
	// Program is the path of scrim-redactor, Args its arguments.
	Program string
	Args    []string
	// Log, if set, gets each line of standard error; see StderrTail.
	Log func(line []byte, kind LineKind)
	// QuitTime is how long the process may take to exit after its input is closed;
	// 0 is 2 s.
	QuitTime time.Duration
}

// Process is a redactor process. Write may be called from any goroutine, Read from one
// at a time. The caller must call Wait.
type Process struct {
	Program string
	Args    []string

	cmd      *exec.Cmd
	in       io.WriteCloser
	out      io.ReadCloser
	w        *ipc.Writer
	r        *ipc.Reader
	tail     *StderrTail
	quitTime time.Duration
	quit     sync.Once
	timer    *time.Timer   // kills, once quit
	exited   chan struct{} // of WatchExit
}

// Start starts a process. It waits for its configuration, which the caller writes.
func Start(o Options) (*Process, error) {
	p := &Process{
		Program: o.Program, Args: o.Args, cmd: exec.Command(o.Program, o.Args...), //nolint:gosec // chosen by the operator
		tail: NewStderrTail(o.Log), quitTime: quitTime,
	}
	if o.QuitTime > 0 {
		p.quitTime = o.QuitTime
	}
	p.cmd.Env = []string{"MALLOC_ARENA_MAX=2", "GOTRACEBACK=single"}
	p.cmd.Dir = "/"
	// An interrupt at the terminal reaches only this program, which then ends the
	// redactors in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p.tail
	p.cmd.WaitDelay = p.quitTime
	var err error
	if p.cmd.Path, err = filepath.Abs(p.cmd.Path); err == nil { // it would be relative to Dir
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		p.out, err = p.cmd.StdoutPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err == nil {
		p.w, p.r = ipc.NewWriter(p.in), ipc.NewReader(p.out)
		return p, nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok { // it would name the program again
		err = path.Err
	}
	advice := "install it next to scrim, or name it with --redactor"
	if IsShortage(err) {
		advice = "free processes, open files or memory"
	}
	return nil, fmt.Errorf("start %s: %w; %s", o.Program, err, advice)
}

// PID returns the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// State returns how the process exited; nil before Wait.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// Write sends a message; see ipc.Writer.
func (p *Process) Write(t ipc.Type, head any, body []byte) error { return p.w.Write(t, head, body) }

// Read returns the next message, valid until the next Read. The error is io.EOF when the
// pipe has ended, a *Failure that the redactor reported, or one that wraps
// ipc.ErrProtocol.
func (p *Process) Read() (*ipc.Message, error) {
	m, err := p.r.Read()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
		return nil, io.EOF
	case err != nil:
		return nil, err
	case m.Type != ipc.TypeFailure:
		return m, nil
	}
	var f ipc.Failure
	if err := m.Decode(&f); err != nil {
		return nil, err
	}
	return nil, &Failure{transport.Plain(f.Reason, maxFailure), f.Permanent}
}

// Kill kills the process. A program that is a script may leave a process that holds the
// pipe: Read and Dismiss do not wait for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	if out, ok := p.out.(*os.File); ok {
		_ = out.SetReadDeadline(time.Now().Add(p.quitTime))
	}
}

// CloseInput closes the process's input. The process finishes what it has read, however
// long that takes, and exits.
func (p *Process) CloseInput() { _ = p.in.Close() }

// Quit closes the process's input, and kills the process if it has not exited in time.
func (p *Process) Quit() {
	p.quit.Do(func() {
		p.CloseInput()
		p.timer = time.AfterFunc(p.quitTime, p.Kill)
	})
}

// Wait calls Quit and waits for the process to exit. The error is an *ExitReason, or nil
// after status 0. What it still writes is lost: read until io.EOF before.
func (p *Process) Wait() error {
	p.Quit()
	err := p.cmd.Wait()
	p.timer.Stop()
	p.tail.Flush()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitReason(exit.ProcessState, p.tail)
	}
	return nil
}

// Dismiss ends a process that is not needed, drops what it still writes, and waits for
// it.
func (p *Process) Dismiss() {
	p.StopWatching()
	p.Quit()
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.Wait()
}

// CheckSandbox starts a redactor that confines itself as that of a camera does, tries
// what it must not be able to do, and reports what holds.
func CheckSandbox(ctx context.Context, program string) (ipc.Sandbox, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	p, err := Start(Options{Program: program, Args: []string{ipc.SandboxCheckArg}})
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, p.Kill)()
	answer, err := io.ReadAll(io.LimitReader(p.out, maxSandboxBytes))
	if exit := p.Wait(); exit != nil {
		err = exit
	}
	var s ipc.Sandbox
	if err == nil {
		err = json.Unmarshal(answer, &s)
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not report its sandbox: %w", program, err)
	}
	return s, nil
}
