//go:build !removable_rules

package rules

// Removable is whether rules can be left out.
const Removable = false

// The rules.
const (
	// Discontinuity: what ingest says about gaps shuts the gate.
	Discontinuity = true
	// FrameNum: pictures that were lost before RTP, as frame_num tells, shut the gate.
	FrameNum = true
	// NewSPS: with another SPS a new decoder begins, and the gate is shut until an IDR.
	NewSPS = true
	// Corrupt: a picture of which the decoder itself says that it is damaged shuts the gate.
	Corrupt = true
	// Complete: nothing is decoded and shown from a gap up to the next whole IDR.
	Complete = true
	// KeyFrame: a shut gate opens at nothing but an IDR.
	KeyFrame = true
	// Generation: a picture of before the gate was shut does not pass, and opens nothing.
	Generation = true
	// Detection: an error of the detector, or a senseless answer, is not "no faces".
	Detection = true
	// SelfTest: while the self-test fails nothing is shown.
	SelfTest = true
	// Covers: every face that was found in a picture lies within one of its regions.
	Covers = true
	// Obscuring: a picture that could not be obscured is not shown.
	Obscuring = true
	// Inspection: the inspection that a picture is shown for was that of this very picture.
	Inspection = true
	// Admits: generation and age are looked at once more right before encoding.
	Admits = true
	// Stall: when no picture comes in time, a slate takes the place of the last one.
	Stall = true
	// Overflow: when more is dropped than a queue evens out, a slate says so.
	Overflow = true
	// Recover: what panics while a picture is inspected withholds it, and those that wait.
	Recover = true
)
