package supervise

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
)

// onStandby runs a Standby of fake redactors until the test ends, and waits for one.
func onStandby(t *testing.T, args ...string) *Standby {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	s := NewStandby(exe, args, wire.DetectConfig{}, slog.New(slog.DiscardHandler))
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
		pid = s.ready.cmd.Process.Pid
		return true
	}, testTimeout, time.Millisecond)
	return pid
}

func TestRedactorOnStandbyTakesTheNextPlace(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	first := s.await(t)
	require.Nil(t, s.take(exe, []string{fakeArg, "chatty"}), "it was started in another way")
	require.Nil(t, s.take("/bin/false", []string{fakeArg, ""}))
	l := s.take(exe, []string{fakeArg, ""})
	require.NotNil(t, l)
	require.Equal(t, first, l.cmd.Process.Pid)
	require.Nil(t, s.take(exe, []string{fakeArg, ""}), "there is one only")
	l.dismiss()
	require.False(t, runs(first))
	require.NotEqual(t, first, s.await(t))
}

func TestRedactorOnStandbyIsThatOfTheDetectorInUse(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	first := s.await(t)
	s.Renew([]string{fakeArg, ""}, wire.DetectConfig{})
	require.Equal(t, first, s.await(t), "nothing is another")
	s.Renew([]string{fakeArg, ""}, wire.DetectConfig{Model: "other.onnx"})
	require.ErrorIs(t, syscall.Kill(first, 0), syscall.ESRCH)
	s.await(t)
	l := s.take(exe, []string{fakeArg, "", wire.ReadArg + "other.onnx"})
	require.NotNil(t, l)
	l.dismiss()
}

func TestRedactorOnStandbyThatHasDiedIsNotTaken(t *testing.T) {
	s := onStandby(t, fakeArg, "")
	exe, err := os.Executable()
	require.NoError(t, err)
	pid := s.await(t)
	require.True(t, runs(pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !runs(pid) }, testTimeout, time.Millisecond)
	require.Nil(t, s.take(exe, []string{fakeArg, ""}))
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "it has been waited for")
	require.NotEqual(t, pid, s.await(t))
}

func TestRedactorThatDiesIsFollowedByTheOneOnStandby(t *testing.T) {
	standby := onStandby(t, fakeArg, "spares")
	waiting := standby.await(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	s, c, _ := beginWith(t, func(o *Options) { o.Standby = standby }, exe, fakeArg, "spares")
	require.Eventually(t, c.out.haveSpares, testTimeout, time.Millisecond, "it has taken the first")
	require.NotEqual(t, waiting, standby.await(t))
	waiting = standby.await(t)
	s.send(t, "killed")
	require.Eventually(t, func() bool {
		c.out.mu.Lock()
		defer c.out.mu.Unlock()
		return c.out.life != nil && c.out.life.cmd.Process.Pid == waiting
	}, testTimeout, time.Millisecond)
	s.send(t, "one")
	for u := range s.out {
		if string(u.Data) == "one after "+wire.ReasonRestarted+" true" {
			return
		}
	}
}
