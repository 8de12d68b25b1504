package bench

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/redactorproc"
)

func TestCPUTimeAndMemoryOfAProcess(t *testing.T) {
	before, err := redactorproc.CPUTime(os.Getpid())
	require.NoError(t, err)
	sum := 0
	for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
		sum++
	}
	after, err := redactorproc.CPUTime(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after, before, sum)
	m := MemoryOf(os.Getpid())
	require.Greater(t, m.PeakRSS, int64(1<<20))
	require.Greater(t, m.Private, int64(1<<20))
	require.Greater(t, m.PSS, m.Private, "every process can read its own PSS")
	require.Less(t, m.Private, m.PeakRSS)

	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	require.Contains(t, Children(os.Getpid()), cmd.Process.Pid)
	_, err = redactorproc.CPUTime(1 << 22)
	require.Error(t, err)
}

func TestLoopExcludesItsStart(t *testing.T) {
	m := NewLoopMeter("x", 5, 0)
	for i := range WarmUp + 10 {
		cpu := 2 * time.Second // the start and the first pictures
		if i >= WarmUp {
			cpu += time.Duration(i-WarmUp+1) * 4 * time.Millisecond
		}
		m.Frame(Usage{CPU: cpu, Bytes: uint64(1000 * i)})
	}
	l := m.Loop()
	require.Equal(t, WarmUp+10, l.Frames)
	require.InDelta(t, 4, l.CPU, 0.001)
	require.InDelta(t, 1000, l.Bytes, 0.001)
	require.Len(t, l.Seconds, 2)
	require.InDelta(t, 4, l.Seconds[1], 0.001)
}

func TestFailedChildrenReportTheReasonInOneLine(t *testing.T) {
	_, err := RunChild(t.Context(), "sh", "-c", "echo one >&2; echo two >&2; exit 3")
	require.EqualError(t, err, "one two")
	_, err = RunChild(t.Context(), "sh", "-c", "echo nonsense")
	require.ErrorContains(t, err, "invalid output of sh")
	cpu, _, err := RunExternal(t.Context(), "sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
	require.NoError(t, err)
	require.Positive(t, cpu)
}
