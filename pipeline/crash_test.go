package pipeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/pipeline/ipc"
	"scrim/transport"
)

// C code in a real, confined redactor misbehaves as a hostile camera would make it. The
// camera is interrupted briefly, and the reason is reported.
func TestRedactorThatIsTakenOverIsReplacedAndTheReasonIsTold(t *testing.T) {
	for _, c := range []struct {
		fault     string
		kind      transport.Fault
		says, log string // to viewers, and in the log
	}{
		{"segfault", transport.FaultCrash, "SIGSEGV", "SIGSEGV"},
		{"exception", transport.FaultCrash, "uncaught C++ exception", "terminate called after throwing an instance of 'std::runtime_error', what(): hostile picture"},
		{"memory in C", transport.FaultCrash, "out of memory", "std::bad_alloc"},
		{"memory in Go", transport.FaultCrash, "out of memory", "out of memory"},
		{"trace", transport.FaultCrash, "system call blocked by the sandbox", "system call blocked by the sandbox"},
		{"garbage", transport.FaultCrash, "violated the protocol", "violated the protocol"},
		{"hang", transport.FaultCrash, "stage hung", "stage hung"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			testenv.Need(t, testenv.Linux)
			if c.fault == "trace" {
				testenv.Need(t, testenv.Seccomp)
			}
			p := watchProgram(t, faultyRedactor(t), func(*ipc.Config) {}, "--fault="+c.fault)
			p.until(transport.StateLive)
			require.Contains(t, p.camera.Status().Sandbox, "limits", "without them this would take the machine's memory")
			if c.fault == "trace" {
				require.Contains(t, p.camera.Status().Sandbox, "seccomp")
			}
			e := p.told(c.kind)
			require.Contains(t, e.Reason, c.says)
			require.NotContains(t, e.Reason, "hostile", "viewers are told nothing in its own words")
			p.until(transport.StateObscured)
			u := p.until(transport.StateLive)
			require.Contains(t, p.log.String(), c.log)
			t.Logf("live again %v after it was noticed (%s)", u.Captured.Sub(e.Time).Round(time.Millisecond), e.Reason)
		})
	}
}
