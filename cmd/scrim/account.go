package main

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
	// refusals is for how many cameras a device refuses user and password before none
	// with them is tried for a while. TRAPS: devices lock an account after about five.
	// One or two may be channels that the user must not see.
	refusals = 3
	// answerTime is after how long a device that has not answered refuses nothing.
	answerTime = 5 * time.Second
	// afterGood and afterOthers are by how much later than those that were let in before
	// the others try again, and those that were refused.
	afterGood   = time.Second
	afterOthers = 10 * time.Second
)

// account is a user of one device, as which several cameras may log in: the channels of
// a recorder. As long as it lets in none they ask one after the other, so that a
// wrong password does not lock it. Its methods may be called from any goroutine.
type account struct {
	mu      sync.Mutex
	turn    *login    // who asks; nil: nobody
	waiting []*waiter // in the order in which they came
	live    int       // logins that are let in
	// refused are the cameras that were refused since one was let in.
	refused map[string]struct{}
	hold    time.Time // before it nobody asks
	by      string    // the camera that was refused last, then
	backoff rtsp.Backoff
}

// waiter is a login that waits for its turn.
type waiter struct {
	login *login
	ready chan struct{} // closed when it need not wait any more
}

// accounts are those of a site, by device, user and password. It is not safe for
// concurrent use.
type accounts map[[sha256.Size]byte]*account

// of returns the account of a camera's URL, of its own where it names no user.
func (a accounts) of(address string) *account {
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

// enter waits until a login may be tried; done has to be called then. It returns false
// where it may not before hold, because camera by was refused.
func (a *account) enter(ctx context.Context, l *login) (ok bool, hold time.Time, by string, err error) {
	for {
		a.mu.Lock()
		switch {
		case a.turn == l, a.live > 0:
			a.mu.Unlock()
			return true, time.Time{}, "", nil
		case time.Now().Before(a.hold):
			defer a.mu.Unlock()
			return false, a.hold.Add(l.later()), a.by, nil
		case a.turn == nil:
			a.turn = l
			a.mu.Unlock()
			return true, time.Time{}, "", nil
		}
		w := &waiter{l, make(chan struct{})}
		a.waiting = append(a.waiting, w)
		a.mu.Unlock()
		select {
		case <-w.ready:
		case <-ctx.Done():
			a.mu.Lock()
			a.waiting = slices.DeleteFunc(a.waiting, func(o *waiter) bool { return o == w })
			a.mu.Unlock()
			a.done(l) // it may be its turn since a moment ago
			return false, time.Time{}, "", ctx.Err()
		}
	}
}

// done notes that a login's turn is over.
func (a *account) done(l *login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pass(l)
}

// pass gives a login's turn to the next, if it has it. It is called with the lock held.
func (a *account) pass(l *login) {
	if a.turn != l {
		return
	}
	a.turn = nil
	if a.live > 0 || time.Now().Before(a.hold) { // nobody has to wait for a turn
		for _, w := range a.waiting {
			close(w.ready)
		}
		a.waiting = nil
		return
	}
	best := -1
	for i, w := range a.waiting {
		if best < 0 || w.login.later() < a.waiting[best].login.later() {
			best = i
		}
	}
	if best >= 0 {
		w := a.waiting[best]
		a.waiting = slices.Delete(a.waiting, best, best+1)
		a.turn = w.login
		close(w.ready)
	}
}

// in notes that a login is let in, out that its connection has ended.
func (a *account) in(l *login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !l.live {
		l.live = true
		a.live++
	}
	l.good, l.bad = true, false
	clear(a.refused)
	a.hold = time.Time{}
	a.backoff.Reset()
	a.pass(l)
}

func (a *account) out(l *login) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.live {
		l.live = false
		a.live--
	}
}

// refuse notes that a login was refused. Where others are let in it is the camera that
// is refused, and not the account.
func (a *account) refuse(l *login, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	others := a.live
	if l.live {
		others--
	}
	l.bad, l.good = true, false
	if others > 0 {
		return
	}
	a.refused[l.camera] = struct{}{}
	if now := time.Now(); len(a.refused) >= refusals && !now.Before(a.hold) {
		a.hold, a.by = now.Add(a.backoff.NextDelay(err)), l.camera
	}
}

// until is before when nobody asks.
func (a *account) until() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hold
}
