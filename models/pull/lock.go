package pull

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lockPoll is the interval at which a held lock is tried again. The kernel has no way
// to wait for a file lock that a context could cancel.
const lockPoll = 100 * time.Millisecond

// lock acquires the exclusive lock for writing a file, among all calls and processes.
// It waits for the holder until ctx ends. The returned function releases the lock and
// removes its file. The kernel releases it when a process dies.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	for {
		f, err := tryLock(path)
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if f != nil {
			// Remove it while it is held: a process that waits for this file detects
			// below that it is no longer the one at the path.
			return func() { os.Remove(path); f.Close() }, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// tryLock returns the locked file, or nil if it is held by another call.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644) //nolint:gosec // holds nothing
	if errors.Is(err, syscall.ELOOP) {
		return nil, errors.New("symbolic links are not followed; delete it")
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

// sameFile reports whether f is still the file at path.
func sameFile(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

// isReadOnly reports whether the error is that of a read-only file system.
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
