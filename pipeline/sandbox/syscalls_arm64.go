package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	// foreignNumbers: there are no others.
	foreignNumbers = 1 << 30
)

var (
	computingHere = []uint32{unix.SYS_GETRLIMIT}
	filingHere    = []uint32{unix.SYS_RENAMEAT}
)
