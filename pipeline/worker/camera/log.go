package camera

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"sync/atomic"

	"scrim/transport"
)

const (
	// maxLogLine bounds a line of a redactor's log, in bytes; the rest of a longer
	// one is dropped.
	maxLogLine = 4096
	// maxLogText bounds what is logged of it, in bytes: its message, and as much of
	// an error that comes with it.
	maxLogText = 300
)

// redactorLeftOut tells how many lines of a redactor were left out.
const redactorLeftOut = "redactor wrote more than is logged"

// logWriter passes on what a redactor writes to its standard error, one line at
// a time, bounded: it may have been written by hostile bytes. What is too much is
// dropped, so that the redactor never waits.
type logWriter struct {
	log  atomic.Pointer[throttle]
	line []byte
	skip bool
	last lastWords
	// raw is set when a line that is not of the redactor's own log was logged.
	raw bool
}

func newLogWriter(log *throttle) *logWriter {
	w := &logWriter{}
	w.to(log)
	return w
}

// to passes on to another log what is written from now on.
func (w *logWriter) to(log *throttle) { w.log.Store(log) }

// Write implements io.Writer; it never fails.
func (w *logWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		if room := maxLogLine - len(w.line); len(part) > room {
			part, w.skip = part[:room], true
		}
		if !w.skip || len(w.line) < maxLogLine {
			w.line = append(w.line, part...)
		}
		if end < 0 {
			return n, nil
		}
		w.flush()
		p = p[end+1:]
	}
	return n, nil
}

// end is called when the redactor has ended: what it began to say is logged, and how
// much was left out.
func (w *logWriter) end() {
	w.flush()
	w.log.Load().tell()
}

// flush logs the line: the redactor's own with its level, anything else, such
// as an abort message of a C library, as a warning. Of a dump that is what it says
// first; the rest, hundreds of lines of stacks and registers, is for the debug level.
func (w *logWriter) flush() {
	line := w.line
	w.line, w.skip = w.line[:0], false
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	to, level := w.log.Load(), slog.LevelWarn
	if said := w.last.line(line); !said && w.last.dying && line[0] != '{' {
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
			w.raw = true
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
