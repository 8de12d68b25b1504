package camera

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/redactorproc"
	"scrim/transport"
)

func TestLogOfARedactorIsPassedOnInBoundedLines(t *testing.T) {
	s, _, _ := begin(t, "chatty")
	s.send(t, "one")
	s.expect(t, "one after redactor restarted true")
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "cv::Exception") }, testTimeout, time.Millisecond)
	text := s.log.String()
	require.Contains(t, text, `level=WARN msg="redactor: picture withheld" camera=door error="no face"`)
	for l := range strings.SplitSeq(text, "\n") {
		require.Less(t, len(l), 600)
	}
}

// stderrOf is the standard error of a redactor that logs there, and its end.
func stderrOf(log *throttle) (w io.Writer, end func()) {
	l := newLineLog(log)
	t := redactorproc.NewStderrTail(l.line)
	return t, func() {
		t.Flush()
		l.end()
	}
}

// logged returns the lines of a log that have all of the texts.
func logged(log fmt.Stringer, texts ...string) (lines []string) {
	for l := range strings.Lines(log.String()) {
		has := true
		for _, t := range texts {
			has = has && strings.Contains(l, t)
		}
		if has {
			lines = append(lines, l)
		}
	}
	return lines
}

// debugLog is a log of all levels.
func debugLog() (*slog.Logger, *lockedBuffer) {
	b := &lockedBuffer{}
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})), b
}

func TestLinesOfARedactorAreBoundedInNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, b := debugLog()
		throttle := newThrottle(log, redactorLeftOut)
		w, end := stderrOf(throttle)
		const seconds, each = 3, 10_000
		for range seconds {
			_, err := w.Write([]byte(strings.Repeat("secret\n", each/2)))
			require.NoError(t, err)
			own := fmt.Sprintf("{\"level\":\"INFO\",\"msg\":%q}\n", strings.Repeat("secret ", 1000))
			_, err = w.Write([]byte(strings.Repeat(own, each/2)))
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		passed := len(logged(b, "secret"))
		require.Equal(t, maxLogBurst+seconds-1, passed)
		require.Empty(t, logged(b, redactorLeftOut), "it may go on")
		time.Sleep(leftOutDelay)
		require.Equal(t, []string{fmt.Sprintf("%d", seconds*each-passed)}, leftOut(b))
		time.Sleep(time.Hour)
		_, _ = w.Write([]byte("secret\n"))
		require.Len(t, logged(b, "secret"), passed+1)
		require.Len(t, leftOut(b), 1, "one line for all")

		// The next process of the camera has no burst of its own.
		_, _ = w.Write([]byte(strings.Repeat("secret\n", each)))
		end()
		next, end := stderrOf(throttle)
		_, _ = next.Write([]byte(strings.Repeat("secret\n", each)))
		end()
		require.Len(t, logged(b, "secret"), passed+maxLogBurst)
		require.Len(t, leftOut(b), 3, "the end of a process tells at once")
		for l := range strings.Lines(b.String()) {
			require.Less(t, len(l), 2*maxLogText)
		}
	})
}

// leftOut returns how many lines a log says were left out, each time.
func leftOut(log fmt.Stringer) (counts []string) {
	for _, l := range logged(log, "level=WARN", redactorLeftOut) {
		_, n, _ := strings.Cut(strings.TrimSpace(l), "lines=")
		counts = append(counts, n)
	}
	return counts
}

// The reasons are the redactor's as well.
func TestChangesOfTheStateAreBoundedInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, b := debugLog()
		c := still(t, nil)
		c.o.Sink, c.stateLog = deaf{}, newThrottle(log, "left out")
		l := &loop{c: c}
		const changes = 10_000
		for i := range changes {
			l.sendReport(report{events: []transport.Event{{State: transport.StateObscured, Fault: transport.FaultOther, Reason: fmt.Sprint(i)}}})
		}
		require.Len(t, logged(b, "camera's state"), maxLogBurst)
		time.Sleep(leftOutDelay)
		synctest.Wait()
		require.Len(t, logged(b, fmt.Sprint(`msg="left out" lines=`, changes-maxLogBurst)), 1)
	})
}

// deaf is a sink that takes all.
type deaf struct{}

func (deaf) Publish(*transport.RedactedUnit) error { return nil }
func (deaf) PublishStatus(transport.Status) error  { return nil }
func (deaf) PublishEvent(transport.Event) error    { return nil }

func TestRedactorThatFloodsItsLogGoesOn(t *testing.T) {
	s, _, _ := begin(t, "good")
	s.send(t, "flood")
	s.expect(t, "dry")
	s.send(t, "killed")
	s.event(t, transport.StateFailed, "SIGKILL")
	require.Len(t, leftOut(s.log), 1)
	require.LessOrEqual(t, len(logged(s.log, "secret")), floodLines/2)
	require.NotEmpty(t, logged(s.log, "secret"))
}

func TestOnlyWhatADumpSaysFirstIsAWarning(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	log, b := debugLog()
	s, _, _ := beginWith(t, func(o *Options) { o.Log = log }, exe, fakeArg, "good")
	s.send(t, "panic")
	s.event(t, transport.StateFailed, "status 2")
	require.Len(t, logged(b, "level=WARN", "redactor: "), 1, b)
	require.Len(t, logged(b, "level=WARN", "redactor: panic: no such picture"), 1)
	require.NotEmpty(t, logged(b, "level=DEBUG", "redactor: goroutine "))
	require.Eventually(t, func() bool { return len(logged(b, "level=ERROR", "redactor ended", "panic: no such picture")) == 1 }, testTimeout, time.Millisecond)
}

func TestDumpsOfAllKindsBeginWithAWarning(t *testing.T) {
	for _, c := range []struct {
		dump string
		warn int
	}{
		{"SIGSEGV: segmentation violation\nPC=0x7f m=3 sigcode=1 addr=0x0\nsignal arrived during cgo execution\n\ngoroutine 7 [syscall]:\nmain.f()\n", 1},
		{"fatal error: stack overflow\n\nruntime stack:\nruntime.throw({0x1, 0x2})\n\t/go/panic.go:1\n", 1},
		{"panic: boom\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\ngoroutine 1 [running]:\nmain.main()\n", 2},
		{"terminate called after throwing an instance of 'cv::Exception'\n  what():  OpenCV\nSIGABRT: abort\nPC=0x7f\ngoroutine 0 [idle]:", 3},
	} {
		log, b := debugLog()
		w, end := stderrOf(newThrottle(log, redactorLeftOut))
		_, _ = w.Write([]byte(c.dump))
		end()
		require.Len(t, logged(b, "level=WARN"), c.warn, b)
		lines := len(strings.FieldsFunc(c.dump, func(r rune) bool { return r == '\n' }))
		require.Len(t, logged(b, "level=DEBUG"), lines-c.warn, b)
	}
}

func TestOneLine(t *testing.T) {
	require.Equal(t, "a b c", oneLine(" a\n\tb\x00\x1b c\r\n"))
	require.Equal(t, strings.Repeat("ä", maxReason/2-2)+"…", oneLine(strings.Repeat("ä", 1000)))
}
