package redactorproc

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// WatchExit returns a channel that is closed when the process exits, or by StopWatching.
// It is for a process without a configuration: that writes nothing, so whatever happens
// to its pipe is the end of it. Nothing is read.
func (p *Process) WatchExit() <-chan struct{} {
	p.exited = make(chan struct{})
	go func() {
		defer close(p.exited)
		conn, err := p.out.(syscall.Conn).SyscallConn()
		if err != nil {
			return
		}
		// Read calls this at first, and whenever something has happened to the pipe.
		_ = conn.Read(func(fd uintptr) bool {
			events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a file descriptor
			n, err := unix.Poll(events, 0)
			return n > 0 || err != nil
		})
	}()
	return p.exited
}

// StopWatching ends WatchExit; after it the process can be read.
func (p *Process) StopWatching() {
	if p.exited == nil {
		return
	}
	if out, ok := p.out.(*os.File); ok {
		_ = out.SetReadDeadline(time.Unix(1, 0))
		<-p.exited
		_ = out.SetReadDeadline(time.Time{})
	}
}
