package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRedactorThatUsesTimeAndSendsNothingSpins(t *testing.T) {
	at := time.Now()
	var l cpuWatchdog
	require.False(t, l.spins(at, 0, time.Hour))
	require.False(t, l.spins(at.Add(time.Minute), 0, time.Hour+spinCPU), "it may")
	require.False(t, l.spins(at.Add(spinTime), 0, 2*time.Hour), "many processors at once")
	require.True(t, l.spins(at.Add(2*spinTime), 0, 2*time.Hour))
	require.False(t, l.spins(at.Add(2*spinTime), 1, 2*time.Hour), "it has sent something")
	require.False(t, l.spins(at.Add(time.Hour), 1, 2*time.Hour), "it waits")
}

func TestProcessorTimeOfAProcessIsKnown(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux")
	}
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
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux")
	}
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
	require.Eventually(t, func() bool { return state(t, child.Process.Pid) == "T" }, testTimeout, time.Millisecond)
	require.Never(t, func() bool { return runnable(child.Process.Pid) }, 50*time.Millisecond, time.Millisecond)
}

// state is what the kernel calls the state of a process.
func state(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}
