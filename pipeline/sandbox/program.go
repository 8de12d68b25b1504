package sandbox

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The parts of struct seccomp_data, on little-endian machines.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16
	argBytes  = 8
)

// What becomes of a system call.
const (
	allow  = unix.SECCOMP_RET_ALLOW
	kill   = unix.SECCOMP_RET_KILL_PROCESS
	refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// cond requires that the bits of mask in an argument are want. It sees the
// lower half of the argument, which is all that the kernel uses of those that we
// ask about.
type cond struct{ arg, mask, want uint32 }

// rule is the action for a call for which all conditions hold.
type rule struct {
	number uint32
	when   []cond
	then   uint32
}

// program makes a filter of rules; the first that fits decides. A call
// that none fits is refused, and one by the numbers of another architecture ends
// the process.
//
// Each rule expects the number in the accumulator: one that has checked arguments loads
// it again. (github.com/elastic/go-seccomp-bpf 1.6 does not, and takes an argument for
// the number of another call.)
func program(rules []rule) []bpf.Instruction {
	p := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		bpf.RetConstant{Val: kill},
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: foreignNumbers, SkipTrue: 1},
		bpf.RetConstant{Val: kill},
	}
	for _, r := range rules {
		var body []bpf.Instruction
		for i, c := range r.when {
			left := 3*(len(r.when)-i-1) + 1 // instructions up to the last load
			body = append(body,
				bpf.LoadAbsolute{Off: offArgs + argBytes*c.arg, Size: 4},
				bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: c.mask},
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: c.want, SkipTrue: uint8(left)}, //nolint:gosec // a handful
			)
		}
		body = append(body, bpf.RetConstant{Val: r.then})
		if len(r.when) > 0 {
			body = append(body, bpf.LoadAbsolute{Off: offNumber, Size: 4})
		}
		p = append(p, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: r.number, SkipTrue: uint8(len(body))}) //nolint:gosec // a handful
		p = append(p, body...)
	}
	return append(p, bpf.RetConstant{Val: refuse})
}
