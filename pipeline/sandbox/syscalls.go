package sandbox

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Mode is what a redactor works on.
type Mode int

// The modes.
const (
	// Camera: two pipes.
	Camera Mode = iota
	// Files: files, which it opens and writes.
	Files
)

// Bits of arguments.
const (
	all32         = 1<<32 - 1
	mapKind       = unix.MAP_SHARED | unix.MAP_PRIVATE
	newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
	setVMA        = 0x53564d41 // PR_SET_VMA: Go names its memory
)

// computing is what Go's runtime, glibc, OpenCV, TBB, FFmpeg and x264 call while
// they work, all on what is open or the process's own. Measured with strace on
// pictures of all kinds, with what glibc may call instead on other machines.
var computing = []uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
	unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_BRK, unix.SYS_MINCORE, unix.SYS_MEMBARRIER,
	unix.SYS_FUTEX, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_RESTART_SYSCALL,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SCHED_GETPARAM, unix.SYS_SCHED_GETSCHEDULER,
	unix.SYS_SCHED_GET_PRIORITY_MAX, unix.SYS_SCHED_GET_PRIORITY_MIN, unix.SYS_GETCPU,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
	unix.SYS_GETRUSAGE, unix.SYS_SYSINFO, unix.SYS_UNAME, unix.SYS_GETRANDOM, unix.SYS_GET_MEMPOLICY,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_PPOLL, unix.SYS_EVENTFD2, unix.SYS_PIPE2,
}

// filing is what a redactor of files calls besides. Landlock says on which files.
var filing = []uint32{
	unix.SYS_OPENAT, unix.SYS_NEWFSTATAT, unix.SYS_STATX, unix.SYS_FACCESSAT, unix.SYS_FACCESSAT2, unix.SYS_READLINKAT, unix.SYS_GETCWD,
	unix.SYS_GETDENTS64, unix.SYS_PWRITE64, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FADVISE64,
	unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2, unix.SYS_FSTATFS,
}

// hostile is what nothing in here calls. A caller has taken the process over,
// which ends at once.
var hostile = []uint32{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_BPF,
	unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_MOUNT, unix.SYS_UMOUNT2,
	unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_SETNS, unix.SYS_UNSHARE, unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_SECCOMP,
}

// rules are the filter for a process with this id. What is not on a list is
// refused: sockets, programs, files, processes, and whatever comes later.
func rules(mode Mode, pid int) []rule {
	self := uint32(pid) //nolint:gosec // positive
	free := slices.Concat(computing, computingHere)
	if mode == Files {
		free = slices.Concat(free, filing, filingHere)
	}
	out := make([]rule, 0, len(free)+2*len(hostile))
	for _, n := range free {
		out = append(out, rule{number: n, then: allow})
	}
	for _, n := range hostile {
		out = append(out, rule{number: n, then: kill})
	}
	out = append(out,
		// Threads, not processes. clone3 hides its flags from a filter; glibc uses
		// clone where it is absent.
		rule{unix.SYS_CLONE, []cond{{0, unix.CLONE_THREAD | newNamespaces, unix.CLONE_THREAD}}, allow},
		rule{unix.SYS_CLONE3, nil, absent},
		// Memory of its own, and no new code.
		rule{unix.SYS_MMAP, []cond{{2, unix.PROT_EXEC, 0}, {3, mapKind, unix.MAP_PRIVATE}}, allow},
		rule{unix.SYS_MPROTECT, []cond{{2, unix.PROT_EXEC, 0}}, allow},
		// Signals to itself: Go interrupts its threads by them, abort ends by one.
		rule{unix.SYS_TGKILL, []cond{{0, all32, self}}, allow},
		rule{unix.SYS_KILL, []cond{{0, all32, self}}, allow},
		// Limits are read, not set.
		rule{unix.SYS_PRLIMIT64, []cond{{0, all32, 0}, {2, all32, 0}}, allow},
		rule{unix.SYS_PRCTL, []cond{{0, all32, unix.PR_SET_NAME}}, allow},
		rule{unix.SYS_PRCTL, []cond{{0, all32, setVMA}}, allow},
	)
	for _, cmd := range []uint32{unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL} {
		out = append(out, rule{unix.SYS_FCNTL, []cond{{1, all32, cmd}}, allow})
	}
	return out
}
