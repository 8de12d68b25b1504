package redactorproc

import (
	"bytes"
	"slices"
)

const (
	// MaxLine bounds a line of standard error, in bytes; the rest of a longer one is
	// dropped.
	MaxLine = 4096
	// maxCrashText bounds what is kept of the lines that name a crash, in bytes.
	maxCrashText = 120
	// maxLastLine bounds what an ExitReason says of the last line, in bytes.
	maxLastLine = 500
)

// LineKind classifies a line of standard error.
type LineKind int

// The kinds of lines.
const (
	// Ordinary is a line before any crash: an entry of the log, or a library's message.
	Ordinary LineKind = iota
	// Crash is a line that says why the process dies.
	Crash
	// Dump is a line after the first Crash: stacks and registers, hundreds of them.
	Dump
)

// crashes are how lines begin that Go's runtime, glibc and the C++ library write
// when they end the process: the exit status alone may say nothing.
var crashes = [][]byte{
	[]byte("SIG"), []byte("fatal error: "), []byte("panic: "), []byte("runtime: out of memory"), []byte("terminate called "), []byte("  what(): "),
	[]byte("[signal SIG"), []byte("free(): "), []byte("malloc(): "), []byte("double free "), []byte("*** stack smashing "),
}

// StderrTail splits what a process writes to standard error into bounded lines, and
// keeps what an ExitReason needs of them. It is not safe for concurrent use.
type StderrTail struct {
	log   func(line []byte, kind LineKind)
	line  []byte
	skip  bool
	crash []byte // the first Crash lines, joined
	last  []byte // the last Ordinary line
}

// NewStderrTail returns a StderrTail that calls log, unless that is nil, for each line
// that is not empty. The line is valid during the call.
func NewStderrTail(log func(line []byte, kind LineKind)) *StderrTail { return &StderrTail{log: log} }

// Write implements io.Writer; it never fails, so that the process never waits.
func (t *StderrTail) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		if room := MaxLine - len(t.line); len(part) > room {
			part, t.skip = part[:room], true
		}
		if !t.skip || len(t.line) < MaxLine {
			t.line = append(t.line, part...)
		}
		if end < 0 {
			return n, nil
		}
		t.Flush()
		p = p[end+1:]
	}
	return n, nil
}

// Flush ends the current line.
func (t *StderrTail) Flush() {
	line := t.line
	t.line, t.skip = t.line[:0], false
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	kind := t.classify(line)
	if kind == Ordinary {
		t.last = append(t.last[:0], line...)
	}
	if t.log != nil {
		t.log(line, kind)
	}
}

func (t *StderrTail) classify(line []byte) LineKind {
	if !slices.ContainsFunc(crashes, func(c []byte) bool { return bytes.HasPrefix(line, c) }) {
		if len(t.crash) > 0 && line[0] != '{' { // other goroutines may still log
			return Dump
		}
		return Ordinary
	}
	if len(t.crash) >= maxCrashText {
		return Dump
	}
	if len(t.crash) > 0 {
		t.crash = append(t.crash, ", "...)
	}
	t.crash = append(t.crash, bytes.TrimSpace(line)...)
	t.crash = t.crash[:min(len(t.crash), maxCrashText)]
	return Crash
}
