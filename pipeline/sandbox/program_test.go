package sandbox

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const testPID = 4711

// decide lets a filter decide about a call, as the kernel would: package bpf reads
// big-endian numbers, so the lower half of an argument comes first here, too.
func decide(t *testing.T, mode Mode, arch, number uint32, args ...uint32) uint32 {
	t.Helper()
	vm, err := bpf.NewVM(program(rules(mode, testPID)))
	require.NoError(t, err)
	data := make([]byte, offArgs+6*argBytes)
	binary.BigEndian.PutUint32(data[offNumber:], number)
	binary.BigEndian.PutUint32(data[offArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offArgs+argBytes*i:], a)
	}
	// The machine says how much of a packet to keep, in an int.
	n, err := vm.Run(data)
	require.NoError(t, err)
	return uint32(n) //nolint:gosec // it was one
}

func TestFilterDecidesByNumberAndArguments(t *testing.T) {
	const thread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD
	for _, c := range []struct {
		name   string
		number uint32
		args   []uint32
		camera uint32
		files  uint32
	}{
		{"read", unix.SYS_READ, nil, allow, allow},
		{"write", unix.SYS_WRITE, []uint32{1}, allow, allow},
		{"open", unix.SYS_OPENAT, nil, refuse, allow},
		{"rename", unix.SYS_RENAMEAT2, nil, refuse, allow},
		{"link", unix.SYS_LINKAT, nil, refuse, refuse},
		{"socket", unix.SYS_SOCKET, nil, refuse, refuse},
		{"connect", unix.SYS_CONNECT, nil, refuse, refuse},
		{"program", unix.SYS_EXECVE, nil, refuse, refuse},
		{"program by descriptor", unix.SYS_EXECVEAT, nil, refuse, refuse},
		{"memory file", unix.SYS_MEMFD_CREATE, nil, refuse, refuse},
		{"device call", unix.SYS_IOCTL, nil, refuse, refuse},
		{"what comes later", 5000, nil, refuse, refuse},
		{"trace", unix.SYS_PTRACE, nil, kill, kill},
		{"ring", unix.SYS_IO_URING_SETUP, nil, kill, kill},
		{"thread", unix.SYS_CLONE, []uint32{thread}, allow, allow},
		{"fork", unix.SYS_CLONE, []uint32{uint32(unix.SIGCHLD)}, refuse, refuse},
		{"thread in a namespace", unix.SYS_CLONE, []uint32{thread | unix.CLONE_NEWNET}, refuse, refuse},
		{"clone3", unix.SYS_CLONE3, nil, absent, absent},
		{"memory", unix.SYS_MMAP, []uint32{0, 1, unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANON}, allow, allow},
		{"code", unix.SYS_MMAP, []uint32{0, 1, unix.PROT_READ | unix.PROT_EXEC, unix.MAP_PRIVATE}, refuse, refuse},
		{"shared memory", unix.SYS_MMAP, []uint32{0, 1, unix.PROT_READ, unix.MAP_SHARED | unix.MAP_ANON}, refuse, refuse},
		{"memory into code", unix.SYS_MPROTECT, []uint32{0, 1, unix.PROT_READ | unix.PROT_EXEC}, refuse, refuse},
		{"own signal", unix.SYS_TGKILL, []uint32{testPID}, allow, allow},
		{"signal to another", unix.SYS_TGKILL, []uint32{1}, refuse, refuse},
		{"signal to all", unix.SYS_KILL, []uint32{1<<32 - 1}, refuse, refuse},
		{"reading limits", unix.SYS_PRLIMIT64, []uint32{0, 3, 0}, allow, allow},
		{"another's limits", unix.SYS_PRLIMIT64, []uint32{1, 3, 0}, refuse, refuse},
		{"setting limits", unix.SYS_PRLIMIT64, []uint32{0, 3, 0xc000}, refuse, refuse},
		{"dumpable", unix.SYS_PRCTL, []uint32{unix.PR_SET_DUMPABLE, 1}, refuse, refuse},
		{"name of a thread", unix.SYS_PRCTL, []uint32{unix.PR_SET_NAME}, allow, allow},
		{"flags of a descriptor", unix.SYS_FCNTL, []uint32{0, unix.F_GETFL}, allow, allow},
		{"owner of a descriptor", unix.SYS_FCNTL, []uint32{0, unix.F_SETOWN}, refuse, refuse},
	} {
		require.Equal(t, c.camera, decide(t, Camera, auditArch, c.number, c.args...), "camera: %s", c.name)
		require.Equal(t, c.files, decide(t, Files, auditArch, c.number, c.args...), "files: %s", c.name)
	}
	require.Equal(t, uint32(kill), decide(t, Camera, unix.AUDIT_ARCH_I386, unix.SYS_READ), "another architecture")
	require.Equal(t, uint32(kill), decide(t, Camera, auditArch, foreignNumbers|unix.SYS_READ), "other numbers")
}

// An argument must not be taken for a number: with every number of an allowed call
// as argument, what is refused stays so.
func TestArgumentsAreNotTakenForNumbers(t *testing.T) {
	free := slices.Concat(computing, computingHere)
	for _, n := range free {
		for number, fits := range map[uint32]uint32{unix.SYS_PRCTL: unix.PR_SET_NAME, unix.SYS_PRLIMIT64: 0, unix.SYS_TGKILL: testPID} {
			if n != fits {
				require.Equal(t, refuse, decide(t, Camera, auditArch, number, n, n, n), "%d with %d", number, n)
			}
		}
		if n&unix.CLONE_THREAD == 0 {
			require.Equal(t, refuse, decide(t, Camera, auditArch, unix.SYS_CLONE, n), "clone with %d", n)
		}
	}
}

func TestListsNameEveryCallOnce(t *testing.T) {
	all := slices.Concat(computing, computingHere, filing, filingHere, hostile)
	slices.Sort(all)
	require.Len(t, slices.Compact(slices.Clone(all)), len(all))
}
