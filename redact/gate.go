package redact

import (
	"sync"
	"time"

	"scrim/redact/rules"
)

// Gate decides whether pictures may be shown. It starts shut, is shut by
// anything that makes the input doubtful (loss, a new SPS, a decoding error, a
// detector that failed), and opens only when a complete IDR of the current
// generation has been inspected. Decoder flags are no safety signal: after one lost
// P slice FFmpeg marks none of the dozens of wrong pictures that follow, and a
// detector on smeared pictures misses faces.
//
// A generation is a run of units without a gap. Every Shut begins a new one, and a
// picture of an older generation never passes. A Gate is safe for concurrent use.
type Gate struct {
	mu         sync.Mutex
	generation uint64
	open       bool
	reason     string
	began      string // why the current generation began
}

// NewGate returns a Gate that is shut for the given reason.
func NewGate(reason string) *Gate { return &Gate{generation: 1, reason: reason, began: reason} }

// Shut closes the gate for a reason that viewers are shown, and returns the
// new generation.
func (g *Gate) Shut(reason string) uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.generation++
	g.open = false
	g.reason, g.began = reason, reason
	return g.generation
}

// Generation returns the current generation.
func (g *Gate) Generation() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.generation
}

// LastShut returns the current generation and the reason of the Shut that began it,
// also after the gate has opened again.
func (g *Gate) LastShut() (generation uint64, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.generation, g.began
}

// State reports whether the gate is open and, when it is not, why.
func (g *Gate) State() (open bool, reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.reason
}

// Explain replaces the reason of a gate that is shut; an open one stays open.
func (g *Gate) Explain(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		g.reason = reason
	}
}

// Admits reports whether f may be sent at the time now: it is a slate, or the
// gate is open and f rests on a inspection of the current generation, for what was obscured
// in it, that is not too old. A frame that has waited too long is refused and shuts nothing: it is
// not wrong, only old.
func (g *Gate) Admits(f Frame, now time.Time) bool {
	if f.img == nil {
		return false
	}
	if f.slate {
		return true
	}
	if rules.Inspection && hashRegions(f.regions) != f.inspection.RegionsHash {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open && (f.inspection.Generation == g.generation || !rules.Generation) && f.inspection.fresh(now)
}

// pass opens the gate for a certified picture where it may, and reports
// whether the picture may be shown.
func (g *Gate) pass(c Inspection, idr bool) (bool, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case rules.Generation && c.Generation != g.generation:
		return false, g.reason
	case g.open:
		return true, ""
	case (idr || !rules.KeyFrame) && c.Complete:
		g.open = true
		g.reason = ""
		return true, ""
	}
	return false, g.reason
}
