//go:build unguarded

package guard

import (
	"os"
	"slices"
	"strings"
)

// Env names the guards that are left out, with commas between.
const Env = "SCRIM_UNGUARDED"

// Removable is whether guards can be left out.
const Removable = true

// The guards. See what the same names mean without the tag.
var (
	Discontinuity = kept("discontinuity")
	FrameNum      = kept("frame_num")
	NewSPS        = kept("new_sps")
	Corrupt       = kept("corrupt")
	Complete      = kept("complete")
	KeyFrame      = kept("key_frame")
	Chain         = kept("chain")
	Detection     = kept("detection")
	SelfTest      = kept("selftest")
	Covers        = kept("covers")
	Obscuring     = kept("obscuring")
	Certificate   = kept("certificate")
	Admits        = kept("admits")
	Stall         = kept("stall")
	Overflow      = kept("overflow")
	Recover       = kept("recover")
)

// kept reports whether a guard is in force.
func kept(name string) bool {
	return !slices.Contains(strings.Split(os.Getenv(Env), ","), name)
}
