package auth

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// guesses are allowed in a row, then one in each guessInterval.
	guesses       = 5
	guessInterval = 10 * time.Second
	// Lock-outs are logged up to lockoutLines at once, then one in each
	// lockoutInterval: an attack from many addresses does not fill the log.
	lockoutLines    = 10
	lockoutInterval = 10 * time.Second
	// maxGuessers bounds the memory of an attack.
	maxGuessers = 4096
	// maxProbes bounds the search for a guesser to forget.
	maxProbes = 16
)

// guesser is an address and the user whose password it guesses. A recorder with an
// old password does not lock out another user at the same address.
type guesser struct {
	from netip.Prefix
	user string
}

// throttle limits wrong passwords.
type throttle struct {
	mu       sync.Mutex
	guessers map[guesser]*allowance
	lines    *rate.Limiter // of the log
	unlogged int           // lock-outs since the last line
}

// allowance is how many guesses a guesser has left.
type allowance struct {
	*rate.Limiter
	locked bool
}

func newThrottle() *throttle {
	return &throttle{guessers: make(map[guesser]*allowance), lines: rate.NewLimiter(rate.Every(lockoutInterval), lockoutLines)}
}

// guesserOf treats an IPv6 network as one address: its owner has all of them.
func guesserOf(from netip.Addr, user string) guesser {
	from = from.Unmap()
	bits := 32
	if from.Is6() {
		bits = 64
	}
	p, err := from.WithZone("").Prefix(bits)
	if err != nil {
		return guesser{user: user}
	}
	return guesser{p, user}
}

// String is the address, or the network.
func (g guesser) String() string {
	if g.from.IsSingleIP() {
		return g.from.Addr().String()
	}
	return g.from.String()
}

// allow reports whether credentials are checked.
func (t *throttle) allow(from netip.Addr, user string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.guessers[guesserOf(from, user)]
	return a == nil || a.TokensAt(now) >= 1
}

// lockout is the start of a lock-out, for the log.
type lockout struct {
	until  time.Time
	others int // lock-outs that were not logged since the last line
}

// failed counts a wrong password. It returns a lockout if this one starts a
// lock-out that must be logged. A guesser that continues is not logged again until
// it has had its full allowance.
func (t *throttle) failed(from netip.Addr, user string, now time.Time) *lockout {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := guesserOf(from, user)
	a := t.guessers[g]
	if a == nil {
		t.makeRoom(now)
		a = &allowance{Limiter: rate.NewLimiter(rate.Every(guessInterval), guesses)}
		t.guessers[g] = a
	}
	if a.TokensAt(now) >= guesses {
		a.locked = false
	}
	a.AllowN(now, 1)
	left := a.TokensAt(now)
	if left >= 1 || a.locked {
		return nil
	}
	a.locked = true
	if !t.lines.AllowN(now, 1) {
		t.unlogged++
		return nil
	}
	l := &lockout{now.Add(time.Duration((1 - left) * float64(guessInterval))), t.unlogged}
	t.unlogged = 0
	return l
}

// makeRoom forgets guessers: of the first maxProbes in random order, those with a
// full allowance, or else the last. It does not visit all of them at every guess.
func (t *throttle) makeRoom(now time.Time) {
	probed := 0
	for g, a := range t.guessers {
		if len(t.guessers) < maxGuessers {
			return
		}
		if probed++; probed == maxProbes || a.TokensAt(now) >= guesses {
			delete(t.guessers, g)
		}
	}
}
