package main

import (
	"context"
	"crypto/sha256"
	"net/url"
	"sync"
	"time"

	"scrim/transport/rtsp"
)

const (
	// refusals is by how many cameras' logins an account is known to be refused: one
	// may be a channel that its user must not see. refusalsLive is for an account with
	// which others are connected. TRAPS: devices lock an account after about five.
	refusals     = 2
	refusalsLive = 4
	// answerTime is after how long a device that has refused nothing lets in.
	answerTime = 5 * time.Second
	// afterOthers is by how much later those who were refused try again: others have not
	// been, and may get in.
	afterOthers = 10 * time.Second
)

// account is a user of one device, as which several cameras may log in: the channels of
// a recorder. As long as none has got in they ask one after the other, so that a
// wrong password does not lock it. Its methods may be called from any goroutine.
type account struct {
	mu     sync.Mutex
	asking chan struct{} // closed when who asks knows; nil: nobody asks
	live   int           // cameras that have got in, and are connected
	by     map[*login]struct{}
	// refused is why nobody is let in; before next nobody asks.
	refused error
	next    time.Time
	backoff rtsp.Backoff
}

// accounts are those of a site, by device, user and password. It is not safe for
// concurrent use.
type accounts map[[sha256.Size]byte]*account

// of returns the account of a camera's URL, of its own where it names no user.
func (a accounts) of(address string) *account {
	fresh := &account{by: make(map[*login]struct{})}
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return fresh
	}
	key := sha256.Sum256([]byte(u.Hostname() + "\n" + u.User.String()))
	if a[key] == nil {
		a[key] = fresh
	}
	return a[key]
}

// enter waits for its turn. Who has got it says known when it knows whether it is let
// in. refused is why there is no turn before next.
func (a *account) enter(ctx context.Context) (known func(), next time.Time, refused error) {
	for {
		a.mu.Lock()
		asking := a.asking
		switch {
		case time.Now().Before(a.next):
			defer a.mu.Unlock()
			return nil, a.next, a.refused
		case a.live > 0:
			a.mu.Unlock()
			return func() {}, time.Time{}, nil
		case asking == nil:
			defer a.mu.Unlock()
			turn := make(chan struct{})
			a.asking = turn
			return sync.OnceFunc(func() {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.asking = nil
				close(turn)
			}), time.Time{}, nil
		}
		a.mu.Unlock()
		select {
		case <-asking:
		case <-ctx.Done():
			return nil, time.Time{}, ctx.Err()
		}
	}
}

// in notes that a camera has got in, out that it is not connected any more.
func (a *account) in() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live++
	clear(a.by)
	a.refused, a.next = nil, time.Time{}
	a.backoff.Reset()
}

func (a *account) out() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live--
}

// refuse notes that a camera was refused.
func (a *account) refuse(l *login, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[l] = struct{}{}
	if n := len(a.by); n >= refusalsLive || n >= refusals && a.live == 0 {
		a.refused, a.next = err, time.Now().Add(a.backoff.NextDelay(err))
	}
}

// until is before when nobody asks.
func (a *account) until() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.next
}
