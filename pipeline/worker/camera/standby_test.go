package camera

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
)

// onStandby runs a Standby of fake redactors until the test ends, and waits for one.
func onStandby(t *testing.T, args ...string) *Standby {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	s := NewStandby(exe, args, ipc.DetectConfig{}, nil, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	s.await(t)
	return s
}

// await waits until one is ready, and returns its process.
func (s *Standby) await(t *testing.T) (pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ready == nil {
			return false
		}
		pid = s.ready.PID()
		return true
	}, testTimeout, time.Millisecond)
	return pid
}

func TestRedactorOnStandbyTakesTheNextPlace(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	first := s.await(t)
	require.Nil(t, s.acquire(exe, []string{fakeArg, "chatty"}), "it was started in another way")
	require.Nil(t, s.acquire("/bin/false", []string{fakeArg, ""}))
	l := s.acquire(exe, []string{fakeArg, ""})
	require.NotNil(t, l)
	require.Equal(t, first, l.PID())
	require.Nil(t, s.acquire(exe, []string{fakeArg, ""}), "there is one only")
	l.dismiss()
	require.False(t, redactorproc.Alive(first))
	require.NotEqual(t, first, s.await(t))
}

func TestRedactorOnStandbyIsThatOfTheDetectorInUse(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	first := s.await(t)
	s.Renew([]string{fakeArg, ""}, ipc.DetectConfig{})
	require.Equal(t, first, s.await(t), "nothing is another")
	s.Renew([]string{fakeArg, ""}, ipc.DetectConfig{Model: "other.onnx"})
	require.ErrorIs(t, syscall.Kill(first, 0), syscall.ESRCH)
	s.await(t)
	l := s.acquire(exe, []string{fakeArg, "", ipc.ReadArg + "other.onnx"})
	require.NotNil(t, l)
	l.dismiss()
}

func TestRedactorOnStandbyThatHasDiedIsNotTaken(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	pid := s.await(t)
	require.True(t, redactorproc.Alive(pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !redactorproc.Alive(pid) }, testTimeout, time.Millisecond)
	require.Nil(t, s.acquire(exe, []string{fakeArg, ""}))
	waitedFor(t, pid)
	require.NotEqual(t, pid, s.await(t))
}

// Its start costs as much as any other.
func TestRedactorOnStandbyWaitsForItsAdmission(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	admission := NewAdmission(1)
	camera := admission.join(false)
	s := NewStandby(exe, []string{fakeArg, ""}, ipc.DetectConfig{}, admission, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	waiting := func() bool {
		admission.mu.Lock()
		defer admission.mu.Unlock()
		return len(admission.queue) == 1
	}
	require.Eventually(t, waiting, testTimeout, time.Millisecond)
	require.Nil(t, s.acquire(exe, []string{fakeArg, ""}))
	camera.leave()
	s.await(t)
	next := admission.join(true)
	require.NoError(t, next.wait(t.Context()), "its start is over once it waits for its configuration")
	next.leave()
	cancel()
	<-ended
}

// waitedFor waits until a process has ended and somebody has waited for it.
func waitedFor(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, testTimeout, time.Millisecond)
}

func TestRedactorOnStandbyThatDiesIsFollowedByAnother(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	pid := s.await(t)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	waitedFor(t, pid) // nobody has asked for one
	require.Eventually(t, func() bool { return s.await(t) != pid }, testTimeout, time.Millisecond)
	l := s.acquire(exe, []string{fakeArg, ""})
	require.NotNil(t, l)
	l.dismiss()
}

// One that is taken can be read from at once and for as long as it takes: that nothing
// came of it before its configuration is no deadline.
func TestRedactorOnStandbySpeaksOnceItIsTaken(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	l := s.acquire(exe, []string{fakeArg, ""})
	require.NotNil(t, l)
	defer l.dismiss()
	read := make(chan error, 1)
	go func() {
		m, err := l.Read()
		if err == nil && m.Type != ipc.TypeHello {
			err = fmt.Errorf("message %q", m.Type)
		}
		read <- err
	}()
	time.Sleep(10 * time.Millisecond)
	require.NoError(t, l.Write(ipc.TypeConfig, ipc.Config{}, nil))
	require.NoError(t, <-read)
}

// One that hangs takes seconds to be ended. A camera that needs one meanwhile starts
// one itself immediately.
func TestNobodyWaitsForTheEndOfARedactorOnStandby(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for what, end := range map[string]func(s *Standby){
		"renewal": func(s *Standby) { s.Renew([]string{fakeArg, ""}, ipc.DetectConfig{Model: "other.onnx"}) },
		"end":     func(s *Standby) { s.close() },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := NewStandby(exe, []string{fakeArg, ""}, ipc.DetectConfig{}, nil, slog.New(slog.DiscardHandler))
			s.ensure()
			pid := s.await(t)
			require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				end(s)
			}()
			t.Cleanup(func() { <-ended })
			for free := false; !free; time.Sleep(time.Millisecond) {
				select {
				case <-ended:
					t.Fatal("nobody could have taken one meanwhile")
				default:
				}
				if s.mu.TryLock() {
					free = s.ready == nil
					s.mu.Unlock()
				}
			}
			require.Nil(t, s.acquire(exe, []string{fakeArg, ""}))
			<-ended
			require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
		})
	}
}

func TestRedactorThatDiesIsFollowedByTheOneOnStandby(t *testing.T) {
	standby := onStandby(t, fakeArg, "spares")
	waiting := standby.await(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	s, _, _ := beginWith(t, func(o *Options) { o.Standby = standby }, exe, fakeArg, "spares")
	require.Eventually(t, func() bool { return s.pid() == waiting }, testTimeout, time.Millisecond, "it has taken the first")
	require.NotEqual(t, waiting, standby.await(t))
	waiting = standby.await(t)
	s.send(t, "killed")
	require.Eventually(t, func() bool { return s.pid() == waiting }, testTimeout, time.Millisecond)
	s.send(t, "one")
	s.expect(t, "one after "+gapRestarted.Text+" true")
}
