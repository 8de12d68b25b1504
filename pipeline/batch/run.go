package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"scrim/pipeline/ipc"
)

// ErrExists is wrapped by errors about an output that exists already.
var ErrExists = errors.New("already exists")

var (
	// errIncomplete is wrapped by the failure of a file whose beginning was redacted.
	errIncomplete = errors.New("only the beginning was redacted: the file ends early or cannot be read any further")
	// errStart is wrapped by failures that every other file would have, too.
	errStart = errors.New("redactor cannot start")
)

// Options describe a redaction.
type Options struct {
	// Plan says what is redacted into what.
	Plan *Plan
	// Report, if set, is a file that gets a line of JSON for each picture: an
	// ipc.FileFrame.
	Report string
	// Program is the path of scrim-redactor.
	Program string
	// Settings are the first message to it.
	Settings ipc.Files
	// Progress, if set, is a terminal that gets a progress bar.
	Progress io.Writer
	// Log gets a line for each file of several that failed, and warnings.
	Log *slog.Logger
}

// Result is what was done.
type Result struct {
	// Files counts those to redact; Skipped files of a folder are neither video nor image.
	Files, Skipped int
	// Frames were redacted, Failsafe of them obscured whole.
	Frames, Failsafe int64
	// Blind is how many files have pictures in which it is not proved that the detector
	// sees; BlindFrames counts the pictures.
	Blind       int
	BlindFrames int64
	// AudioDropped is how many audio tracks were not copied.
	AudioDropped int
	Took         time.Duration
	// Failed has an error for each file that was not redacted to its end.
	Failed []error
}

// String is one line for people.
func (r *Result) String() string {
	text := fmt.Sprintf("%d of %d files redacted, %d frames in %v", r.Files-len(r.Failed), r.Files, r.Frames, r.Took.Round(10*time.Millisecond))
	if r.Took > 0 && r.Frames > 0 {
		text += fmt.Sprintf(" (%.1f/s)", float64(r.Frames)/r.Took.Seconds())
	}
	if r.Failsafe > 0 {
		text += fmt.Sprintf("; %d frames obscured whole", r.Failsafe)
	}
	if r.BlindFrames > 0 {
		text += fmt.Sprintf("; %d frames blind", r.BlindFrames)
	}
	if r.AudioDropped > 0 {
		text += fmt.Sprintf("; audio tracks dropped: %d", r.AudioDropped)
	}
	if r.Skipped > 0 {
		text += fmt.Sprintf("; other files left out: %d", r.Skipped)
	}
	return text
}

// job is one run.
type job struct {
	Options
	report *report
	bar    *progress
	proc   *process // nil: none runs
	kept   int      // files with an output
	turned turnedFaces
	result Result
}

// Run redacts what can be redacted. It returns an error when it gave up or ctx ended; the files that failed are in the Result.
func Run(ctx context.Context, o Options) (*Result, error) {
	report, err := openReport(o.Report, o.Plan)
	if err != nil {
		return nil, err
	}
	defer report.discard()
	j := &job{Options: o, report: report, result: Result{Files: len(o.Plan.files), Skipped: o.Plan.skipped}}
	if o.Progress != nil {
		j.bar = newProgress(o.Progress, o.Plan, time.Now)
	}
	begun := time.Now()
	if err := j.files(ctx); err != nil {
		return nil, err
	}
	j.result.Took = time.Since(begun)
	if j.kept > 0 { // else there is nothing to report
		err = j.report.finish()
	}
	return &j.result, err
}

// files redacts all files, until one error would be that of all others.
func (j *job) files(ctx context.Context) error {
	defer func() {
		j.bar.clear()
		j.stop()
	}()
	for i, f := range j.Plan.files {
		j.bar.next(i)
		err := j.file(ctx, f)
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errStart):
			return err
		}
		j.result.Failed = append(j.result.Failed, fmt.Errorf("%s: %w", f.In, err))
		if len(j.Plan.files) > 1 {
			msg := "file was not redacted"
			if errors.Is(err, errIncomplete) {
				msg = "file was not redacted to its end"
			}
			j.bar.clear()
			j.Log.Error(msg, "file", f.In, "error", err)
		}
	}
	return nil
}

// file redacts one file. After an error nothing of it is left, except after one that
// wraps errIncomplete.
func (j *job) file(ctx context.Context, f ipc.File) error {
	if j.proc == nil {
		var err error
		if j.proc, err = start(ctx, j.Program, j.Plan.files, j.Settings, j.Log); err != nil {
			return fmt.Errorf("%w: %w", errStart, err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.Out), 0o777); err != nil { //nolint:gosec // umask applies
		return err
	}
	end, err := j.redact(ctx, f)
	if err == nil && end.Error != "" {
		err = errors.New(end.Error)
	} else if err != nil {
		j.stop()              // after which nobody writes there any more
		_ = os.Remove(f.Temp) // exists only when the process could not remove it
	}
	if err != nil {
		return errors.Join(err, j.report.rollback())
	}
	j.kept++
	if advice := j.turned.advice(); j.Settings.AllWays && advice != "" {
		j.bar.clear()
		j.Log.Warn(advice, "file", f.In)
	}
	j.result.Frames, j.result.Failsafe = j.result.Frames+end.Frames, j.result.Failsafe+end.Failsafe
	j.result.AudioDropped += end.Dropped
	if end.Blind > 0 {
		j.result.Blind++
		j.result.BlindFrames += end.Blind
		j.bar.clear()
		j.Log.Warn(blindText(f.Kind, end), "file", f.In, "pictures", end.Blind, "of", end.Frames)
	}
	if end.Failsafe > 0 && end.Reason != "" {
		j.bar.clear()
		j.Log.Warn("pictures were obscured whole", "file", f.In, "pictures", end.Failsafe, "of", end.Frames, "first", end.Reason)
	}
	if end.Failsafe == 0 && end.Reason != "" {
		end.Warning = strings.TrimPrefix(end.Warning+"; "+end.Reason, "; ")
	}
	if end.Warning != "" {
		j.bar.clear()
		j.Log.Warn("input is damaged or unusual", "file", f.In, "warning", end.Warning)
	}
	if err := j.report.commit(); err != nil || end.Incomplete == "" {
		return err
	}
	return fmt.Errorf("%w: %s", errIncomplete, end.Incomplete)
}

// redact sends one file to the redactor and handles its records.
func (j *job) redact(ctx context.Context, f ipc.File) (end ipc.FileEnd, err error) {
	j.turned = turnedFaces{}
	if err := j.proc.Write(ipc.TypeFile, f, nil); err != nil {
		return end, j.proc.died()
	}
	for {
		m, err := j.proc.next(ctx)
		if err != nil {
			return end, err
		}
		switch m.Type {
		case ipc.TypeFileBegin:
			var b ipc.FileBegin
			err = m.Decode(&b)
			j.bar.expect(b.Frames)
		case ipc.TypeFileFrame:
			var r ipc.FileFrame
			if err = m.Decode(&r); err == nil {
				j.turned.add(r)
				err = j.report.add(r)
			}
			j.bar.step()
		case ipc.TypeFileEnd:
			err = m.Decode(&end)
			return end, err
		default:
			err = fmt.Errorf("%w: message %q", ipc.ErrProtocol, m.Type)
		}
		if err != nil {
			return end, err
		}
	}
}

// stop ends the redactor, if it runs. It removes what is half done.
func (j *job) stop() {
	if j.proc != nil {
		j.proc.Dismiss()
		j.proc = nil
	}
}
