package auth

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
	// heldLines at once, and then one in a heldInterval, tell of who is held back: an
	// attack from many addresses does not fill the log.
	heldLines    = 10
	heldInterval = 10 * time.Second
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
	guesses map[guesser]*guessed
	lines   *rate.Limiter // of the log
	untold  int           // who is held back and not in the log
}

// guessed is what is left to a guesser, and whether it is known that that is nothing.
type guessed struct {
	*rate.Limiter
	held bool
}

func newGuard() *guard {
	return &guard{guesses: make(map[guesser]*guessed), lines: rate.NewLimiter(rate.Every(heldInterval), heldLines)}
}

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

// String is the address, or the network.
func (g guesser) String() string {
	if g.from.IsSingleIP() {
		return g.from.Addr().String()
	}
	return g.from.String()
}

// allow reports whether credentials are looked at.
func (g *guard) allow(from netip.Addr, user string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.guesses[guesserOf(from, user)]
	return l == nil || l.TokensAt(now) >= 1
}

// holding says that somebody begins to be held back.
type holding struct {
	until  time.Time
	others int // of whom nothing was said since the last time
}

// wrong notes that they were wrong. Where that is one too many, and it is to be
// logged, it returns until when nothing is looked at. Who goes on to guess is not
// told of again before all guesses were free for once.
func (g *guard) wrong(from netip.Addr, user string, now time.Time) *holding {
	g.mu.Lock()
	defer g.mu.Unlock()
	who := guesserOf(from, user)
	l := g.guesses[who]
	if l == nil {
		g.makeRoom(now)
		l = &guessed{Limiter: rate.NewLimiter(rate.Every(guessInterval), guesses)}
		g.guesses[who] = l
	}
	if l.TokensAt(now) >= guesses {
		l.held = false
	}
	l.AllowN(now, 1)
	left := l.TokensAt(now)
	if left >= 1 || l.held {
		return nil
	}
	l.held = true
	if !g.lines.AllowN(now, 1) {
		g.untold++
		return nil
	}
	h := &holding{now.Add(time.Duration((1 - left) * float64(guessInterval))), g.untold}
	g.untold = 0
	return h
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
