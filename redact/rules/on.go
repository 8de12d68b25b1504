//go:build !removable_rules

package rules

// Removable reports whether rules can be left out.
const Removable = false

// The rules.
const (
	// Discontinuity: a gap that ingest reports shuts the gate.
	Discontinuity = true
	// FrameNum: pictures lost before RTP, as frame_num shows, shut the gate.
	FrameNum = true
	// NewSPS: a new SPS needs a new decoder and shuts the gate until an IDR.
	NewSPS = true
	// Corrupt: a picture that the decoder itself marks as damaged shuts the gate.
	Corrupt = true
	// Complete: nothing is decoded or shown from a gap until the next whole IDR.
	Complete = true
	// KeyFrame: a shut gate opens only at an IDR.
	KeyFrame = true
	// Generation: a picture from before the gate was shut neither passes nor opens it.
	Generation = true
	// Detection: an error of the detector, or an impossible result, is not "no faces".
	Detection = true
	// SelfTest: while the self-test fails nothing is shown.
	SelfTest = true
	// Sight: a picture in which the detector is not proved to see is covered.
	Sight = true
	// Proof: a sight test counts only for pictures in no worse a condition.
	Proof = true
	// Background: without a background, everything counts as moving.
	Background = true
	// Moving: what differs from the background is covered where motion is the cover.
	Moving = true
	// Learn: the background is learned only while the detector sees.
	Learn = true
	// Uncovered: the background is learned only from what is not covered.
	Uncovered = true
	// Absorb: what has moved is not learned before it stood still for long.
	Absorb = true
	// Covers: every face found in a picture must lie within one of its regions.
	Covers = true
	// Obscuring: a picture that could not be obscured is not shown.
	Obscuring = true
	// Inspection: a picture is shown only with its own inspection.
	Inspection = true
	// Admits: generation and age are checked again right before encoding.
	Admits = true
	// Stall: if no picture comes in time, a slate replaces the last one.
	Stall = true
	// Overflow: if a queue drops more than it holds, a slate reports it.
	Overflow = true
	// Recover: a panic during an inspection withholds that picture and those that wait.
	Recover = true
)
