package testenv

import (
	"os"

	"golang.org/x/sys/unix"
)

func seccomp() (string, error) {
	if _, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err != nil {
		return missing("this kernel lacks it")
	}
	return "", nil
}

func landlock() (string, error) {
	_, _, err := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if err == unix.ENOSYS || err == unix.EOPNOTSUPP {
		return missing("this kernel lacks it")
	}
	return "", nil
}

func unconfined() (string, error) {
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set == 1 {
		return missing("no process gets new privileges here")
	}
	if _, err := os.ReadDir("/"); err != nil {
		return missing("the root folder cannot be read here")
	}
	return "", nil
}
