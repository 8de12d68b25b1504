package camera

import (
	"encoding/json"
	"log/slog"
	"sync/atomic"

	"scrim/pipeline/redactorproc"
	"scrim/transport"
)

// maxLogText bounds what is logged of a redactor's line, in bytes: its message, and as
// much of an error that comes with it.
const maxLogText = 300

// redactorLeftOut is the message about lines of a redactor that were not logged.
const redactorLeftOut = "redactor wrote more than is logged"

// lineLog passes on what a redactor writes to its standard error. It may have been
// written by hostile bytes: it is bounded, and what is too much is dropped, so that the
// redactor never waits.
type lineLog struct {
	log atomic.Pointer[throttle]
	// raw is set when a line that is not of the redactor's own log was logged.
	raw bool
}

func newLineLog(log *throttle) *lineLog {
	l := &lineLog{}
	l.to(log)
	return l
}

// to passes on to another log what is written from now on.
func (l *lineLog) to(log *throttle) { l.log.Store(log) }

// end is called when the redactor has exited: how much was left out is logged.
func (l *lineLog) end() { l.log.Load().reportLeftOut() }

// line logs a line: one of the redactor's own log with its level, anything else, such as
// an abort message of a C library, as a warning. Of a dump the first lines are; the rest
// is for the debug level.
func (l *lineLog) line(line []byte, kind redactorproc.LineKind) {
	to, level := l.log.Load(), slog.LevelWarn
	if kind == redactorproc.Dump {
		level = slog.LevelDebug
	}
	switch {
	case !to.enabled(level):
		return
	case to.full(): // before any more work is done for it
		to.leaveOut()
		return
	}
	var entry struct {
		Level slog.Level `json:"level"`
		Msg   string     `json:"msg"`
		Error string     `json:"error"`
	}
	if err := json.Unmarshal(line, &entry); err != nil || entry.Msg == "" {
		if to.line(level, "redactor: "+transport.Plain(string(line), maxLogText)) {
			l.raw = true
		}
		return
	}
	var args []any
	if entry.Error != "" {
		args = append(args, "error", transport.Plain(entry.Error, maxLogText))
	}
	level = min(max(entry.Level, slog.LevelDebug), slog.LevelError)
	to.line(level, "redactor: "+transport.Plain(entry.Msg, maxLogText), args...)
}
