package supervise

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// maxLastWords bounds what is kept of what a process says when it dies, in bytes.
const maxLastWords = 120

// deaths are how lines begin that Go's runtime, glibc and the C++ library write
// when they end the process: it may end with a status that says nothing.
var deaths = [][]byte{
	[]byte("SIG"), []byte("fatal error: "), []byte("panic: "), []byte("runtime: out of memory"), []byte("terminate called "), []byte("  what(): "),
	[]byte("[signal SIG"), []byte("free(): "), []byte("malloc(): "), []byte("double free "), []byte("*** stack smashing "),
}

// lastWords keeps the first lines of those that say why a process dies.
type lastWords struct{ text []byte }

func (l *lastWords) line(line []byte) {
	for _, d := range deaths {
		if !bytes.HasPrefix(line, d) || len(l.text) >= maxLastWords {
			continue
		}
		if len(l.text) > 0 {
			l.text = append(l.text, ", "...)
		}
		l.text = append(l.text, bytes.TrimSpace(line)...)
		l.text = l.text[:min(len(l.text), maxLastWords)]
		return
	}
}

// died says how a process ended that was not asked to.
func died(state *os.ProcessState, words string) error {
	if words != "" {
		words = ": " + oneLine(words)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		switch status.Signal() {
		case syscall.SIGSYS:
			words = ": it called what no redactor calls" + words
		case syscall.SIGKILL:
			words += "; perhaps the machine is out of memory"
		}
		return fmt.Errorf("redactor was killed by signal %v%s; its log above says more", status.Signal(), words)
	}
	return fmt.Errorf("redactor ended with status %d%s; its log above says more", state.ExitCode(), words)
}
