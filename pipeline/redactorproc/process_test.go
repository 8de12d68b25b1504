package redactorproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/ipc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script returns a program that does what a shell script says.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-redactor")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700)) //nolint:gosec // a program
	return path
}

// shell describes such a process without a file, for tests in parallel: a file that is
// written while another process is forked is busy.
func shell(text string, args ...string) Options {
	return Options{Program: "/bin/sh", Args: append([]string{"-c", text, "scrim-redactor"}, args...)}
}

// start starts a process that does what a shell script says.
func start(t *testing.T, text string, args ...string) *Process {
	t.Helper()
	p, err := Start(shell(text, args...))
	require.NoError(t, err)
	t.Cleanup(p.Dismiss)
	return p
}

func TestRedactorGetsNothingOfItsSurroundings(t *testing.T) {
	t.Setenv("SCRIM_TEST_SECRET", "s3cret")
	p := start(t, `pwd; env; ps -o pgid= -p $$ 2>/dev/null; echo "$@"`, "--files")
	said, err := io.ReadAll(p.out)
	require.NoError(t, err)
	require.NoError(t, p.Wait())
	lines := strings.Split(string(said), "\n")
	require.Equal(t, "/", lines[0], "its working directory")
	require.Contains(t, lines, "MALLOC_ARENA_MAX=2")
	require.Contains(t, lines, "GOTRACEBACK=single")
	require.Contains(t, lines, "--files")
	require.NotContains(t, string(said), "s3cret")
	require.NotContains(t, string(said), "HOME=")
	require.True(t, p.cmd.SysProcAttr.Setpgid, "an interrupt at the terminal is not for it")
}

func TestExitReasonSaysHowAndWhy(t *testing.T) {
	for text, want := range map[string]struct{ public, rest string }{
		"exit 3":                    {"redactor exited with status 3", ""},
		"echo it burns >&2; exit 1": {"redactor exited with status 1", ": it burns"},
		"echo first >&2; printf 'l\x1b\xe2\x80\xaeast' >&2; exit 1":        {"redactor exited with status 1", ": l ast"},
		"echo 'panic: boom' >&2; echo 'goroutine 1' >&2; exit 2":           {"redactor exited with status 2: panic", ": panic: boom"},
		"echo 'SIGSEGV: violation' >&2; exit 2":                            {"redactor exited with status 2 after SIGSEGV", ": SIGSEGV: violation"},
		"echo 'free(): invalid pointer' >&2; kill -ABRT $$; sleep 1":       {"redactor killed by signal SIGABRT: memory corrupted", ": free(): invalid pointer"},
		"kill -SYS $$; sleep 1":                                            {"redactor killed by signal SIGSYS: system call blocked by the sandbox", ""},
		"kill -KILL $$; sleep 1":                                           {"redactor killed by signal SIGKILL", "; perhaps the machine is out of memory"},
		"echo '  what():  std::bad_alloc' >&2; echo after >&2; exit 134\n": {"redactor exited with status 134: out of memory", ": what(): std::bad_alloc"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			p := start(t, text)
			_, err := p.Read()
			require.ErrorIs(t, err, io.EOF)
			reason, ok := errors.AsType[*ExitReason](p.Wait())
			require.True(t, ok)
			require.Equal(t, want.public, reason.Public())
			require.Equal(t, want.public+want.rest, reason.Error())
		})
	}
}

func TestFailureOfARedactorIsAnErrorOfRead(t *testing.T) {
	const reason = `{"reason":"model is\nmissing","permanent":true}`
	p := start(t, `printf 'SCR1F\000\000\000\000\000\000\057\000\000\000\000`+strings.ReplaceAll(reason, `\`, `\\`)+`'`)
	_, err := p.Read()
	require.Equal(t, &Failure{"model is missing", true}, err)
	_, err = p.Read()
	require.ErrorIs(t, err, io.EOF)
	p = start(t, "echo this is not a message")
	_, err = p.Read()
	require.ErrorIs(t, err, ipc.ErrProtocol)
}

func TestRedactorThatDoesNotQuitIsKilled(t *testing.T) {
	o := shell("while :; do sleep 0.01; done")
	o.QuitTime = 10 * time.Millisecond
	p, err := Start(o)
	require.NoError(t, err)
	require.ErrorContains(t, p.Wait(), "SIGKILL")
	require.ErrorIs(t, syscall.Kill(p.PID(), 0), syscall.ESRCH)
	p.Dismiss() // may be called at any time
}

func TestClosedInputLeavesTimeToFinish(t *testing.T) {
	o := shell("read -r line; sleep 0.1; exit 7")
	o.QuitTime = time.Millisecond
	p, err := Start(o)
	require.NoError(t, err)
	p.CloseInput()
	_, err = p.Read()
	require.ErrorIs(t, err, io.EOF)
	require.ErrorContains(t, p.Wait(), "status 7")
}

func TestProgramThatCannotBeStarted(t *testing.T) {
	_, err := Start(Options{Program: "/nonexistent/scrim-redactor"})
	require.EqualError(t, err, "start /nonexistent/scrim-redactor: no such file or directory; install it next to scrim, or name it with --redactor")
	require.False(t, IsShortage(err))
	require.True(t, IsShortage(syscall.EAGAIN))
}

func TestExitOfAnIdleRedactorIsNoticed(t *testing.T) {
	p := start(t, "read -r line; exit 0")
	exited := p.WatchExit()
	select {
	case <-exited:
		t.Fatal("it runs")
	case <-time.After(10 * time.Millisecond):
	}
	p.Kill()
	<-exited
	require.Error(t, p.Wait())

	p = start(t, "read -r line; echo this is not a message")
	p.WatchExit()
	p.StopWatching()
	require.NoError(t, p.Write(ipc.TypeConfig, ipc.Config{}, []byte("\n")))
	_, err := p.Read()
	require.ErrorIs(t, err, ipc.ErrProtocol)
}

func TestSandboxThatIsNotReportedIsAnError(t *testing.T) {
	for text, says := range map[string]string{
		"echo no room >&2; exit 1":  "no room",
		"echo hello":                "invalid character",
		`echo '[{"name":"seccomp"'`: "unexpected end",
	} {
		_, err := CheckSandbox(t.Context(), script(t, text))
		require.ErrorContains(t, err, says)
	}
	s, err := CheckSandbox(t.Context(), script(t, `[ "$1" = --sandbox-check ] && echo '[{"name":"seccomp","holds":true}]'`))
	require.NoError(t, err)
	require.Equal(t, []string{"seccomp"}, s.Holding())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = CheckSandbox(ctx, script(t, "read -r line"))
	require.Error(t, err)
}

// A program that is a script may leave a process that holds the pipes.
func TestChildThatHoldsThePipesDoesNotDelayTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Process){
		"dismissed": (*Process).Dismiss,
		"killed": func(p *Process) {
			p.Kill()
			_, err := p.Read()
			require.ErrorIs(t, err, io.EOF)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := shell("sleep 20 & echo $!; read -r line")
			o.QuitTime = 100 * time.Millisecond
			p, err := Start(o)
			require.NoError(t, err)
			var child int
			_, err = fmt.Fscanln(p.out, &child)
			require.NoError(t, err)
			defer func() { _ = syscall.Kill(child, syscall.SIGKILL) }()
			began := time.Now()
			end(p)
			_ = p.Wait()
			require.Less(t, time.Since(began), 10*time.Second)
		})
	}
}

func TestRelativePathOfAProgramIsFound(t *testing.T) {
	path := script(t, "exit 0")
	t.Chdir(filepath.Dir(path))
	p, err := Start(Options{Program: "./scrim-redactor"})
	require.NoError(t, err)
	require.NoError(t, p.Wait())
}
