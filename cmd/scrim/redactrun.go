package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"scrim/cmd/internal/programs"
	"scrim/pipeline/ipc"
)

const (
	// frameTimeout is for how long the redactor may say nothing: it has that long
	// for one picture, and says that it goes on while it finishes a file. A call
	// into C cannot be cancelled; a process can.
	frameTimeout = 2 * time.Minute
	// maxRedactorWords bounds what is kept of what the redactor says on its way
	// out, in bytes.
	maxRedactorWords = 4096
)

// redaction redacts files, one after the other, by a redactor process. A file
// that ends the process costs that file.
type redaction struct {
	program  string
	settings ipc.Files
	report   *redactReport
	bar      *redactBar
	log      *slog.Logger

	files    []ipc.File
	proc     *filesProcess
	frames   int64
	failsafe int64
	dropped  int
	kept     int // files of which there is an output
	begun    time.Time
}

// filesProcess is a redactor of files.
type filesProcess struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	w      *ipc.Writer
	stderr *programs.Words
	// messages come from the process; closed at its end, after which err says why.
	messages chan *ipc.Message
	done     chan struct{} // closed when nobody listens any more
	err      error
}

// errIncomplete is wrapped by the failure of a file whose beginning was redacted.
var errIncomplete = errors.New("only the beginning was redacted, as the file ends early or cannot be read on")

// errSettings is wrapped by failures that no other file can mend.
var errSettings = errors.New("redactor cannot start")

// run redacts the files. It returns an error for each that could not be, and
// one of its own when it gave up.
func (j *redaction) run(ctx context.Context, list []ipc.File) (failed []error, err error) {
	j.begun, j.files = time.Now(), list
	defer func() {
		j.bar.wipe()
		j.stop()
	}()
	for i, f := range list {
		j.bar.next(i)
		err := j.one(ctx, f)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		if errors.Is(err, errSettings) {
			return failed, err
		}
		err = fmt.Errorf("%s: %w", f.In, err)
		failed = append(failed, err)
		if len(list) > 1 {
			j.bar.wipe()
			j.log.Error(failure(err), "file", f.In, "error", strings.TrimPrefix(err.Error(), f.In+": "))
		}
	}
	return failed, nil
}

// failure names what has happened to a file.
func failure(err error) string {
	if errors.Is(err, errIncomplete) {
		return "file was not redacted to its end"
	}
	return "file was not redacted"
}

// one redacts one file. After an error nothing of it is left, but for one that
// wraps errIncomplete.
func (j *redaction) one(ctx context.Context, f ipc.File) error {
	if err := j.start(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.Out), 0o777); err != nil { //nolint:gosec // umask applies
		return err
	}
	end, err := j.redact(ctx, f)
	if err == nil && end.Error != "" {
		err = errors.New(end.Error)
	} else if err != nil {
		j.stop()              // after which nobody writes there any more
		_ = os.Remove(f.Temp) // there only when the process could not
	}
	if err != nil {
		return errors.Join(err, j.report.rollback())
	}
	j.kept++
	j.frames, j.failsafe, j.dropped = j.frames+end.Frames, j.failsafe+end.Failsafe, j.dropped+end.Dropped
	if end.Failsafe > 0 {
		j.bar.wipe()
		j.log.Warn("pictures were obscured whole", "file", f.In, "pictures", end.Failsafe, "of", end.Frames, "first", end.Reason)
	}
	if end.Failsafe == 0 && end.Reason != "" {
		end.Warning = strings.TrimPrefix(end.Warning+"; "+end.Reason, "; ")
	}
	if end.Warning != "" {
		j.bar.wipe()
		j.log.Warn("input is not as it should be", "file", f.In, "warning", end.Warning)
	}
	if err := j.report.commit(); err != nil || end.Incomplete == "" {
		return err
	}
	return fmt.Errorf("%w: %s", errIncomplete, end.Incomplete)
}

// redact sends one file to the redactor and takes its records.
func (j *redaction) redact(ctx context.Context, f ipc.File) (ipc.FileEnd, error) {
	if err := j.proc.w.Write(ipc.TypeFile, f, nil); err != nil {
		return ipc.FileEnd{}, j.proc.died(err)
	}
	for {
		m, err := j.proc.next(ctx)
		if err != nil {
			return ipc.FileEnd{}, err
		}
		switch m.Type {
		case ipc.TypeFileBegin:
			var b ipc.FileBegin
			err = m.Decode(&b)
			j.bar.expect(b.Frames)
		case ipc.TypeFileFrame:
			var r ipc.FileFrame
			if err = m.Decode(&r); err == nil {
				err = j.report.add(r)
			}
			j.bar.step()
		case ipc.TypeFileEnd:
			var end ipc.FileEnd
			err = m.Decode(&end)
			return end, err
		default:
			err = fmt.Errorf("%w: message %q", ipc.ErrProtocol, m.Type)
		}
		if err != nil {
			return ipc.FileEnd{}, err
		}
	}
}

// start starts the redactor unless it runs.
func (j *redaction) start(ctx context.Context) error {
	if j.proc != nil {
		return nil
	}
	p := &filesProcess{stderr: &programs.Words{Most: maxRedactorWords}, messages: make(chan *ipc.Message), done: make(chan struct{})}
	p.cmd = exec.Command(j.program, append([]string{"--files"}, reach(j.files, j.settings.Detect)...)...) //nolint:gosec // the program beside this one
	// Ctrl-C is for this program, which closes the pipe.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stderr = p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.stdin, p.w = stdin, ipc.NewWriter(stdin)
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	j.proc = p
	go p.read(stdout)
	if err := p.w.Write(ipc.TypeFiles, j.settings, nil); err != nil {
		return fmt.Errorf("%w: %w", errSettings, p.died(err))
	}
	m, err := p.next(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	var hello ipc.Hello
	if err := m.Decode(&hello); err != nil {
		return fmt.Errorf("%w: %w", errSettings, err)
	}
	j.log.Debug("redactor of files", "detector", hello.Detector, "model_sha256", hello.ModelSHA256, "sandbox", strings.Join(hello.Sandbox.Holding(), " "))
	if err := hello.Sandbox.Check(); err != nil {
		j.log.Debug("redactor of files is not fully confined", "error", err)
	}
	return nil
}

// stop ends the redactor, if it runs, and waits for that.
func (j *redaction) stop() {
	if j.proc != nil {
		j.proc.close()
		j.proc = nil
	}
}

// read passes on messages until the process ends.
func (p *filesProcess) read(stdout io.Reader) {
	defer close(p.messages)
	in := ipc.NewReader(stdout)
	for {
		m, err := in.Read()
		if err != nil {
			p.err = err
			return
		}
		m.Head = append([]byte(nil), m.Head...) // valid until the next Read only
		select {
		case p.messages <- m:
		case <-p.done:
			p.err = io.EOF
			return
		}
	}
}

// next returns the next message, which is none of failure.
func (p *filesProcess) next(ctx context.Context) (*ipc.Message, error) {
	timeout := time.NewTimer(frameTimeout)
	defer timeout.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timeout.C:
		_ = p.cmd.Process.Kill()
		return nil, fmt.Errorf("nothing came of it for %v", frameTimeout)
	case m, ok := <-p.messages:
		if !ok {
			return nil, p.died(p.err)
		}
		if m.Type != ipc.TypeFailure {
			return m, nil
		}
		var f ipc.Failure
		if err := m.Decode(&f); err != nil {
			return nil, err
		}
		return nil, errors.New(f.Reason)
	}
}

// died says how the process ended.
func (p *filesProcess) died(cause error) error {
	p.close()
	if p.cmd.ProcessState != nil && !p.cmd.ProcessState.Success() {
		cause = errors.New(p.cmd.ProcessState.String())
	}
	words := p.stderr.String()
	if i := strings.IndexByte(words, '\n'); i >= 0 {
		words = words[:i] // the rest of a crash is for nobody
	}
	if words != "" {
		return fmt.Errorf("redactor ended: %w: %s", cause, words)
	}
	return fmt.Errorf("redactor ended: %w", cause)
}

// close ends the process, which removes what is half done, and waits. A second
// call does nothing.
func (p *filesProcess) close() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.stdin.Close()
	kill := time.AfterFunc(shutdownTimeout, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	close(p.done)
	for range p.messages { // until it has ended
	}
	_ = p.cmd.Wait()
}

// summary prints one line about what was done.
func (j *redaction) summary(out io.Writer, p *redactPlan, failed int) error {
	took := time.Since(j.begun)
	text := fmt.Sprintf("%d of %d files redacted, %d frames in %v", len(p.files)-failed, len(p.files), j.frames, took.Round(10*time.Millisecond))
	if took > 0 && j.frames > 0 {
		text += fmt.Sprintf(" (%.1f/s)", float64(j.frames)/took.Seconds())
	}
	if j.failsafe > 0 {
		text += fmt.Sprintf("; %d frames obscured whole", j.failsafe)
	}
	if j.dropped > 0 {
		text += fmt.Sprintf("; audio tracks dropped: %d", j.dropped)
	}
	if p.skipped > 0 {
		text += fmt.Sprintf("; other files left out: %d", p.skipped)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}
