//go:build removable_rules

package rules

import (
	"os"
	"slices"
	"strings"
)

// Env is the environment variable that lists the rules to leave out, separated by
// commas.
const Env = "SCRIM_REMOVE_RULES"

// Removable reports whether rules can be left out.
const Removable = true

// The rules; see on.go.
var (
	Discontinuity = kept("discontinuity")
	FrameNum      = kept("frame_num")
	NewSPS        = kept("new_sps")
	Corrupt       = kept("corrupt")
	Complete      = kept("complete")
	KeyFrame      = kept("key_frame")
	Generation    = kept("generation")
	Detection     = kept("detection")
	SelfTest      = kept("selftest")
	Sight         = kept("sight")
	Proof         = kept("proof")
	Background    = kept("background")
	Moving        = kept("moving")
	Learn         = kept("learn")
	Uncovered     = kept("uncovered")
	Absorb        = kept("absorb")
	Covers        = kept("covers")
	Obscuring     = kept("obscuring")
	Inspection    = kept("inspection")
	Admits        = kept("admits")
	Stall         = kept("stall")
	Overflow      = kept("overflow")
	Recover       = kept("recover")
)

// kept reports whether a rule is in force.
func kept(name string) bool {
	return !slices.Contains(strings.Split(os.Getenv(Env), ","), name)
}
