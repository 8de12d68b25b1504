package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	// foreignNumbers and above are those of x32.
	foreignNumbers = 1 << 30
)

// What older calls of this architecture are named.
var (
	computingHere = []uint32{unix.SYS_TIME, unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_GETRLIMIT}
	filingHere    = []uint32{
		unix.SYS_OPEN, unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_READLINK, unix.SYS_UNLINK, unix.SYS_RENAME, unix.SYS_RENAMEAT,
	}
)
