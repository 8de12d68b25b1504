package pull

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockPoll is how often a lock that another process holds is tried again. The
// kernel offers no way to wait for a file lock that a context could end.
const lockPoll = 100 * time.Millisecond

// lock takes the exclusive lock that lets one call at a time write a file, in
// this process and among all. It waits for the holder, at most until ctx ends.
// The returned function gives it back and removes the lock's file. The kernel
// gives it back by itself when a process dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		f, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if f != nil {
			// Removed while it is held: who waits for this very file sees below
			// that it is no longer the one at the path.
			return func() { os.Remove(path); f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// tryLock returns the locked file, or nil when somebody else has it.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644) //nolint:gosec // holds nothing
	if errors.Is(err, syscall.ELOOP) {
		return nil, errors.New("it is a symbolic link, which is not followed; delete it")
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // a descriptor fits
	if err == nil && sameFile(f, path) {
		return f, nil
	}
	f.Close()
	if err == nil || errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, err
}

// sameFile is true when f is still what lies at path.
func sameFile(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

// isReadOnly is true for the error of a file system that is mounted read-only.
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
