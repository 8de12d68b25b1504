package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// guesses may be wrong in a row; then one more every guessInterval.
	guesses       = 5
	guessInterval = 10 * time.Second
	// maxGuessers bounds what is remembered.
	maxGuessers = 4096
	// maxLooks is at how many of them is looked to find one to forget.
	maxLooks = 16
)

// guesser is who guesses the password of whom. One recorder with an old password
// does not lock out another user at the same address.
type guesser struct {
	from netip.Prefix
	user string
}

// guard counts wrong passwords.
type guard struct {
	mu      sync.Mutex
	guesses map[guesser]*rate.Limiter
}

func newGuard() *guard { return &guard{guesses: make(map[guesser]*rate.Limiter)} }

// guesserOf takes a network of IPv6 for one: who has an address there has all.
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

// allow reports whether credentials are looked at.
func (g *guard) allow(from netip.Addr, user string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.guesses[guesserOf(from, user)]
	return l == nil || l.TokensAt(now) >= 1
}

// wrong notes that they were wrong.
func (g *guard) wrong(from netip.Addr, user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	who := guesserOf(from, user)
	l := g.guesses[who]
	if l == nil {
		g.makeRoom(now)
		l = rate.NewLimiter(rate.Every(guessInterval), guesses)
		g.guesses[who] = l
	}
	l.AllowN(now, 1)
}

// makeRoom forgets somebody: of a few that come first, in no order, those who have
// waited long enough, or else the last one. It does not look at all of them each
// time that somebody guesses.
func (g *guard) makeRoom(now time.Time) {
	looked := 0
	for who, l := range g.guesses {
		if len(g.guesses) < maxGuessers {
			return
		}
		if looked++; looked == maxLooks || l.TokensAt(now) >= guesses {
			delete(g.guesses, who)
		}
	}
}
