package camera

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
)

func TestRedactorThatUsesTimeAndSendsNothingSpins(t *testing.T) {
	at := time.Now()
	var l cpuWatchdog
	require.False(t, l.isSpinning(at, 0, time.Hour))
	require.False(t, l.isSpinning(at.Add(time.Minute), 0, time.Hour+spinCPU), "it may")
	require.False(t, l.isSpinning(at.Add(spinTime), 0, 2*time.Hour), "many processors at once")
	require.True(t, l.isSpinning(at.Add(2*spinTime), 0, 2*time.Hour))
	require.False(t, l.isSpinning(at.Add(2*spinTime), 1, 2*time.Hour), "it has sent something")
	require.False(t, l.isSpinning(at.Add(time.Hour), 1, 2*time.Hour), "it waits")
}

func TestProcessorTimeOfAProcessIsKnown(t *testing.T) {
	testenv.Need(t, testenv.Linux)
	before, ok := cpuTime(os.Getpid())
	require.True(t, ok)
	require.Positive(t, before)
	require.Eventually(t, func() bool {
		now, ok := cpuTime(os.Getpid())
		return ok && now > before
	}, testTimeout, time.Millisecond)
	_, ok = cpuTime(1 << 25)
	require.False(t, ok)
}

func TestProcessThatSleepsOrIsStoppedIsNotRunnable(t *testing.T) {
	testenv.Need(t, testenv.Linux)
	require.True(t, runnable(os.Getpid()), "it asks")
	require.False(t, runnable(1<<25))
	child := exec.Command("sleep", "60")
	require.NoError(t, child.Start())
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	require.Eventually(t, func() bool { return !runnable(child.Process.Pid) }, testTimeout, time.Millisecond)
	require.NoError(t, child.Process.Signal(syscall.SIGSTOP))
	var state syscall.WaitStatus // it runs once more, to be stopped
	_, err := syscall.Wait4(child.Process.Pid, &state, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, state.Stopped())
	require.Never(t, func() bool { return runnable(child.Process.Pid) }, 50*time.Millisecond, time.Millisecond)
}
