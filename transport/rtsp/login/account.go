package login

import (
	"context"
	"crypto/sha256"
	"net/url"
	"slices"
	"sync"
	"time"

	"scrim/transport/rtsp"
)

const (
	// maxRefused is how many cameras a device refuses before all cameras of the account
	// wait. One or two may be channels that the user must not see.
	maxRefused = 3
	// answerTime is how long a login keeps its slot: a device that takes longer to answer
	// does not refuse.
	answerTime = 5 * time.Second
	// untriedLag and refusedLag are how much later these log in than logins that were
	// accepted the last time: those let in all others.
	untriedLag = time.Second
	refusedLag = 10 * time.Second
)

// account is a user of one device, who may log in for several cameras: the channels of a
// recorder. While no camera plays only one at a time logs in, so that a wrong password
// does not lock the account. It owns the state of its Logins; its methods may be called
// from any goroutine.
type account struct {
	mu      sync.Mutex
	slot    *Login    // who is logging in; nil: nobody
	queue   []*waiter // for the slot, in the order in which they came
	playing int       // logins that play
	// refused are the cameras that were refused since one played.
	refused      map[string]struct{}
	blockedUntil time.Time // nobody logs in before it
	blockedBy    string    // the camera that was refused last, then
	backoff      rtsp.Backoff
}

// waiter is a login that waits for the slot.
type waiter struct {
	login *Login
	ready chan struct{} // closed when it need not wait any more
}

// Accounts are the accounts of a site's cameras, by host, user and password. It is not
// safe for concurrent use; its Logins are.
type Accounts map[[sha256.Size]byte]*account

// Login returns the Login of a camera, by its URL with user and password. It is the one
// before, with all that is known of it, unless that is nil or has another URL.
func (a Accounts) Login(camera, address string, before *Login) *Login {
	if before != nil && before.url == address {
		return before
	}
	return &Login{camera: camera, url: address, account: a.of(address)}
}

// of returns the account of a camera's URL; without a user it is an account of its own.
func (a Accounts) of(address string) *account {
	fresh := &account{refused: make(map[string]struct{})}
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return fresh
	}
	key := sha256.Sum256([]byte(u.Host + "\n" + u.User.String()))
	if a[key] == nil {
		a[key] = fresh
	}
	return a[key]
}

// acquire waits until a login may be tried; release must be called then. It returns false
// if the account is blocked: l.skippedUntil is when it may be tried, and the camera is
// the one that was refused.
func (a *account) acquire(ctx context.Context, l *Login) (ok bool, blockedBy string, err error) {
	for {
		a.mu.Lock()
		l.skippedUntil = time.Time{}
		switch {
		case a.slot == l, a.playing > 0:
			a.mu.Unlock()
			return true, "", nil
		case time.Now().Before(a.blockedUntil):
			defer a.mu.Unlock()
			l.skippedUntil = a.blockedUntil.Add(l.lag())
			return false, a.blockedBy, nil
		case a.slot == nil:
			a.slot = l
			a.mu.Unlock()
			return true, "", nil
		}
		w := &waiter{l, make(chan struct{})}
		a.queue = append(a.queue, w)
		a.mu.Unlock()
		select {
		case <-w.ready:
		case <-ctx.Done():
			a.mu.Lock()
			a.queue = slices.DeleteFunc(a.queue, func(o *waiter) bool { return o == w })
			a.freeSlot(l) // it may have got it a moment ago
			a.mu.Unlock()
			return false, "", ctx.Err()
		}
	}
}

// release notes that a login was answered, or was not in answerTime.
func (a *account) release(l *Login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.freeSlot(l)
}

// freeSlot passes the slot on to the next, if l has it. It is called with the lock held.
func (a *account) freeSlot(l *Login) {
	if a.slot != l {
		return
	}
	a.slot = nil
	if a.playing > 0 || time.Now().Before(a.blockedUntil) { // nobody needs to wait for it
		for _, w := range a.queue {
			close(w.ready)
		}
		a.queue = nil
		return
	}
	best := -1
	for i, w := range a.queue {
		if best < 0 || w.login.lag() < a.queue[best].login.lag() {
			best = i
		}
	}
	if best >= 0 {
		w := a.queue[best]
		a.queue = slices.Delete(a.queue, best, best+1)
		a.slot = w.login
		close(w.ready)
	}
}

// onPlaying notes that a login was accepted.
func (a *account) onPlaying(l *Login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !l.playing {
		l.playing = true
		a.playing++
	}
	l.last = accepted
	clear(a.refused)
	a.blockedUntil = time.Time{}
	a.backoff.Reset()
	a.freeSlot(l)
}

// onEnd notes that a login's connection has ended, with err. If other cameras play, a
// refusal is of the camera, and not of the account.
func (a *account) onEnd(l *Login, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.freeSlot(l)
	if l.playing {
		l.playing = false
		a.playing--
	}
	if !isRefusal(err) {
		return
	}
	if l.last = refused; a.playing > 0 {
		return
	}
	a.refused[l.camera] = struct{}{}
	if now := time.Now(); len(a.refused) >= maxRefused && !now.Before(a.blockedUntil) {
		a.blockedUntil, a.blockedBy = now.Add(a.backoff.NextDelay(err)), l.camera
	}
}
