package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
)

// maxLogLine bounds a line of a redactor's log, in bytes; the rest of a longer
// one is dropped.
const maxLogLine = 4096

// logWriter passes on what a redactor writes to its standard error, one line at
// a time, bounded: it may have been written by hostile bytes.
type logWriter struct {
	log  atomic.Pointer[slog.Logger]
	line []byte
	skip bool
	last lastWords
}

func newLogWriter(log *slog.Logger) *logWriter {
	w := &logWriter{}
	w.to(log)
	return w
}

// to passes on to another log what is written from now on.
func (w *logWriter) to(log *slog.Logger) { w.log.Store(log) }

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

// flush logs the line: the redactor's own with its level, anything else, such
// as an abort message of a C library, as a warning.
func (w *logWriter) flush() {
	line := w.line
	w.line, w.skip = w.line[:0], false
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	var entry struct {
		Level slog.Level `json:"level"`
		Msg   string     `json:"msg"`
		Error string     `json:"error"`
	}
	if err := json.Unmarshal(line, &entry); err != nil || entry.Msg == "" {
		w.last.line(line)
		w.log.Load().Warn("redactor: " + oneLine(string(line)))
		return
	}
	var args []any
	if entry.Error != "" {
		args = append(args, "error", oneLine(entry.Error))
	}
	w.log.Load().Log(context.Background(), entry.Level, "redactor: "+oneLine(entry.Msg), args...)
}
