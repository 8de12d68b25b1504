package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
)

// frameTimeout is how long the redactor may send nothing: it has that long for one
// picture, and sends ipc.FileBegin again while it finishes a file. A call into C cannot
// be cancelled; a process can.
const frameTimeout = 2 * time.Minute

// process is a redactor of files.
type process struct{ *redactorproc.Process }

// start starts a redactor that may reach only these files, and waits for its hello.
func start(ctx context.Context, program string, files []ipc.File, settings ipc.Files, log *slog.Logger) (*process, error) {
	started, err := redactorproc.Start(redactorproc.Options{Program: program, Args: append([]string{ipc.FilesArg}, pathArgs(files, settings.Detect)...)})
	if err != nil {
		return nil, err
	}
	p := &process{started}
	hello, err := p.greet(ctx, settings)
	if err != nil {
		p.Dismiss()
		return nil, err
	}
	log.Debug("redactor of files", "detector", hello.Detector, "model_sha256", hello.ModelSHA256, "sandbox", strings.Join(hello.Sandbox.Holding(), " "))
	if err := hello.Sandbox.Check(); err != nil {
		log.Debug("redactor of files is not fully confined", "error", err)
	}
	return p, nil
}

func (p *process) greet(ctx context.Context, settings ipc.Files) (hello ipc.Hello, err error) {
	if err := p.Write(ipc.TypeFiles, settings, nil); err != nil {
		return hello, p.died()
	}
	m, err := p.next(ctx)
	if err != nil {
		return hello, err
	}
	return hello, m.Decode(&hello)
}

// next returns the next message. If ctx ends before it comes the process has been told
// to exit.
func (p *process) next(ctx context.Context) (*ipc.Message, error) {
	defer context.AfterFunc(ctx, p.Quit)()
	silence := time.AfterFunc(frameTimeout, p.Kill)
	m, err := p.Read()
	switch {
	case !silence.Stop() && err != nil:
		return nil, fmt.Errorf("redactor sent nothing for %v", frameTimeout)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, io.EOF):
		return nil, p.died()
	}
	return m, err
}

// died waits for a process that has closed a pipe, and returns why it exited.
func (p *process) died() error {
	if err := p.Wait(); err != nil {
		return err
	}
	return errors.New("redactor exited unexpectedly")
}
