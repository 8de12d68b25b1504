package supervise

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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
type lastWords struct {
	text  []byte
	dying bool // there was one
}

// line looks at a line, and reports whether it is kept.
func (l *lastWords) line(line []byte) bool {
	for _, d := range deaths {
		if !bytes.HasPrefix(line, d) {
			continue
		}
		if l.dying = true; len(l.text) >= maxLastWords {
			return false
		}
		if len(l.text) > 0 {
			l.text = append(l.text, ", "...)
		}
		l.text = append(l.text, bytes.TrimSpace(line)...)
		l.text = l.text[:min(len(l.text), maxLastWords)]
		return true
	}
	return false
}

// death is how a redactor ended that was not asked to.
type death struct {
	how    string // such as "ended by signal SIGKILL"
	words  string // its last
	advice string
}

// Error says all, for the log.
func (d *death) Error() string {
	text := d.Public()
	if d.words != "" {
		text += ": " + d.words
	}
	if d.advice != "" {
		text += "; " + d.advice
	}
	return text
}

// Public says what happened, and nothing of what the redactor said.
func (d *death) Public() string { return "redactor " + d.how }

// died says how a process ended. What it wrote to its standard error was passed on.
func died(state *os.ProcessState, wrote *logWriter) error {
	d := &death{how: fmt.Sprintf("ended with status %d", state.ExitCode()), words: oneLine(string(wrote.last.text))}
	if wrote.raw {
		d.advice = "its log above says more"
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		// Go's runtime takes the signal of a crash, names it, and ends with a status.
		if name, _, _ := strings.Cut(d.words, ":"); unix.SignalNum(name) != 0 {
			d.how += " after " + name
		}
		return d
	}
	signal := status.Signal()
	d.how = "ended by signal " + cmp.Or(unix.SignalName(signal), strconv.Itoa(int(signal)))
	switch signal {
	case syscall.SIGSYS:
		d.words = strings.TrimSuffix("it called what no redactor calls: "+d.words, ": ")
	case syscall.SIGKILL: // which lets nobody say a word
		d.advice = "perhaps the machine is out of memory"
	}
	return d
}
