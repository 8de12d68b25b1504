package sandbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// system is what Go, glibc and OpenCV read at their start, about the machine.
var system = []string{
	"/etc/ld.so.cache", "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
	"/proc/meminfo", "/proc/filesystems", "/proc/sys/vm", "/etc/localtime",
	"/proc/self/maps", "/proc/self/status", "/proc/self/cgroup", "/proc/self/mountinfo",
}

// restrict lets this thread, and all that begins from it, read the machine's
// description, the program and its libraries, and what is named, and write below
// what is named; and open no TCP connection. Without Landlock nothing happens.
func restrict(read, write []string) error {
	code, err := mapped()
	if err != nil {
		return err
	}
	const (
		look  = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSReadDir)
		run   = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSReadDir | ll.AccessFSExecute)
		alter = look | landlock.AccessFSSet(ll.AccessFSWriteFile|ll.AccessFSTruncate|ll.AccessFSMakeReg|ll.AccessFSRemoveFile)
		file  = landlock.AccessFSSet(ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSExecute)
	)
	var rules []landlock.Rule
	add := func(rights landlock.AccessFSSet, paths []string) {
		for _, p := range paths {
			fi, err := os.Stat(p)
			if err != nil {
				continue // who opens it will say so
			}
			r := rights
			if !fi.IsDir() {
				r &= file
			}
			rules = append(rules, landlock.PathAccess(r, p))
		}
	}
	add(run, code)
	add(look, system)
	add(look, read)
	add(alter, write)
	fd, flags, err := landlock.V7.BestEffort().NewRulesetFD(rules...)
	if err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	if fd < 0 {
		return nil
	}
	if err := ll.LandlockRestrictSelf(fd, flags); err != nil { // its descriptor is closed by execve
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// mapped is of what this process is made: the program, and the folders of the
// loader and the libraries. It is about to execute again with the same.
func mapped() ([]string, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, fmt.Errorf("landlock: what this program is made of: %w", err)
	}
	var out []string
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		if i := strings.IndexByte(s.Text(), '/'); i >= 0 {
			path := s.Text()[i:]
			if dir := filepath.Dir(path); strings.Contains(filepath.Base(path), ".so") {
				path = dir // TBB looks for its allocator there later
			}
			if !slices.Contains(out, path) {
				out = append(out, path)
			}
		}
	}
	return out, nil
}

// checkLandlock checks that it is in force: the root folder, which anyone may list,
// cannot be listed. It must be called before the filter is loaded, which would hide
// that.
func checkLandlock() (detail string, err error) {
	version, err := ll.LandlockGetABIVersion()
	if err != nil {
		return "", errors.New("this kernel does not have it")
	}
	f, err := os.Open("/")
	if err == nil {
		_ = f.Close()
		return "", errors.New("the root folder can be read")
	}
	return fmt.Sprintf("version %d", version), nil
}
