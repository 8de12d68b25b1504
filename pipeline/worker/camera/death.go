package camera

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

// causes are what last words mean, in the words of this package: the first that fits
// is told to viewers, and the last words are not, for who writes them may be the
// camera.
var causes = []struct{ said, means string }{
	{"std::bad_alloc", "out of memory"}, {"out of memory", "out of memory"}, {"cannot allocate memory", "out of memory"},
	{"terminate called ", "uncaught C++ exception"}, {"panic: ", "panic"},
	{"free(): ", "memory corrupted"}, {"malloc(): ", "memory corrupted"}, {"double free ", "memory corrupted"}, {"*** stack smashing ", "memory corrupted"},
	{"fatal error: ", "fatal error of Go's runtime"},
}

// death is how a redactor ended that was not asked to.
type death struct {
	how    string // such as "ended by signal SIGKILL"
	cause  string // one of causes, or what is known without words
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

// Public says what happened, and nothing in the redactor's own words.
func (d *death) Public() string {
	text := "redactor " + d.how
	if d.cause != "" {
		text += ": " + d.cause
	}
	return text
}

// died says how a process ended. What it wrote to its standard error was passed on.
func died(state *os.ProcessState, wrote *logWriter) error {
	d := &death{how: fmt.Sprintf("ended with status %d", state.ExitCode()), words: oneLine(string(wrote.last.text))}
	for _, c := range causes {
		if strings.Contains(d.words, c.said) {
			d.cause = c.means
			break
		}
	}
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
		d.cause = "it called what no redactor calls"
	case syscall.SIGKILL: // which lets nobody say a word
		d.advice = "perhaps the machine is out of memory"
	}
	return d
}
