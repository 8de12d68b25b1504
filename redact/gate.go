package redact

import (
	"sync"
	"time"

	"scrim/redact/rules"
)

// Gate is the safety gate: it decides whether pictures may be shown. It starts
// shut. Anything that makes the input doubtful shuts it: loss, a new SPS, a
// decoding error, a detector that failed. It opens only when a complete IDR of the
// current generation has been inspected. Decoder flags are not a safety signal: after
// one lost P slice FFmpeg flags none of the dozens of wrong pictures that follow, and
// a detector misses faces in smeared pictures.
//
// A generation is a run of units without a gap. Every Shut begins a new one, and a
// picture of an older generation never passes. A Gate is safe for concurrent use.
type Gate struct {
	mu         sync.Mutex
	generation uint64
	open       bool
	cause      Cause // why the current generation began
}

// NewGate returns a Gate that is shut for the given cause.
func NewGate(cause Cause) *Gate { return &Gate{generation: 1, cause: cause} }

// Shut closes the gate and returns the new generation.
func (g *Gate) Shut(cause Cause) (generation uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.generation++
	g.open, g.cause = false, cause
	return g.generation
}

// Generation returns the current generation.
func (g *Gate) Generation() uint64 {
	generation, _, _ := g.State()
	return generation
}

// State returns, as of one moment, the current generation, whether the gate is open,
// and the cause of the Shut that began the generation, even if the gate has opened since.
func (g *Gate) State() (generation uint64, open bool, lastShut Cause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.generation, g.open, g.cause
}

// Admits reports whether f may be sent at the time now: f is a slate, or the gate is
// open and f rests on an inspection of the current generation that covers the
// regions obscured in it and is not too old. A frame that has waited too long is
// refused but shuts nothing: it is not wrong, only old.
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

// pass opens the gate for an inspected picture if it may, and reports whether the
// picture may be shown; if not, cause is why.
func (g *Gate) pass(i Inspection, idr bool) (ok bool, cause Cause) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case rules.Generation && i.Generation != g.generation:
		return false, g.cause
	case g.open:
		return true, Cause{}
	case (idr || !rules.KeyFrame) && i.Complete:
		g.open = true
		return true, Cause{}
	}
	return false, g.cause
}
