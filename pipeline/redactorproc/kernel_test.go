package redactorproc

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
)

func TestProcessorTimeOfAProcessIsKnown(t *testing.T) {
	testenv.Need(t, testenv.Linux)
	before, err := CPUTime(os.Getpid())
	require.NoError(t, err)
	require.Positive(t, before)
	require.Eventually(t, func() bool {
		now, err := CPUTime(os.Getpid())
		return err == nil && now > before
	}, 10*time.Second, time.Millisecond)
	_, err = CPUTime(1 << 25)
	require.Error(t, err)
}

func TestProcessThatSleepsOrIsStoppedIsNotRunnable(t *testing.T) {
	testenv.Need(t, testenv.Linux)
	require.True(t, Runnable(os.Getpid()), "it asks")
	require.False(t, Runnable(1<<25))
	child := exec.Command("sleep", "60")
	require.NoError(t, child.Start())
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	require.Eventually(t, func() bool { return !Runnable(child.Process.Pid) }, 10*time.Second, time.Millisecond)
	require.NoError(t, child.Process.Signal(syscall.SIGSTOP))
	var state syscall.WaitStatus // it runs once more, to be stopped
	_, err := syscall.Wait4(child.Process.Pid, &state, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, state.Stopped())
	require.Never(t, func() bool { return Runnable(child.Process.Pid) }, 50*time.Millisecond, time.Millisecond)
}
