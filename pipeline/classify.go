package pipeline

import (
	"bytes"

	"scrim/pipeline/bitstream"
	"scrim/redact"
	"scrim/redact/rules"
	"scrim/transport"
)

// maxJump is the largest step of the camera's PTS that still counts as the
// same run of pictures, in 90 kHz ticks.
const maxJump = 5 * transport.ClockRate

// sequence is what the decode stage knows of the units so far.
type sequence struct {
	codec      transport.Codec // of the decoder; empty: there is none
	sps        []byte          // of the decoder; nil: there is none
	generation uint64          // of the gate
	whole      bool            // nothing is missing since a key frame of this generation
	noRASL     bool            // RASL pictures cannot be decoded since the last key frame
	started    bool            // there was a unit
	lastPTS    int64
}

// arrival is an access unit, and what is known when it arrives.
type arrival struct {
	unit transport.CameraUnit
	info bitstream.Info
	// missing is not empty when the unit itself shows that pictures before it are
	// missing.
	missing string
	// err is why the unit must not reach a decoder.
	err error
	// generation is the gate's.
	generation uint64
	// anyShown is set when a picture has been shown.
	anyShown bool
}

// fate is what becomes of a unit.
type fate int

const (
	unitDropped  fate = iota // it must not reach a decoder
	unitWithheld             // nothing in it can be shown
	unitKept                 // it holds no picture
	unitDecoded
)

// verdict is what to do with a unit.
type verdict struct {
	fate fate
	// ends is set when the unit ends the generation, for cause.
	ends  bool
	cause redact.Cause
	// stale is set when another stage has shut the gate and so ended the generation.
	stale bool
	// newCodec closes the decoder; newDecoder opens one for the unit's SPS.
	newCodec, newDecoder bool
	// sets are parameter sets to keep for the next picture.
	sets []byte
	// start is set when the generation becomes whole with this unit, key when a
	// generation could.
	start, key bool
	// data is what is decoded.
	data []byte
}

// classify decides what becomes of a unit. It changes nothing.
func (s *sequence) classify(a *arrival) (v verdict) {
	if a.err != nil {
		return verdict{fate: unitDropped, ends: true, cause: cause(transport.FaultDamage, "unsupported or damaged video: "+a.err.Error())}
	}
	info, gap, sps, whole := &a.info, s.gap(a.unit), s.sps, s.whole
	if s.codec != "" && info.Codec != s.codec {
		v.newCodec, v.ends, v.cause = true, true, causeFormat
		sps, whole = nil, false
	}
	newSPS := info.SPS != nil && !bytes.Equal(info.SPS, sps)
	if info.RASL && s.noRASL && gap.Kind == transport.GapNone && !newSPS { // no other picture needs it
		v.fate, v.sets = unitWithheld, info.Sets()
		return v
	}
	if rules.FrameNum && a.missing != "" && whole && gap.Kind == transport.GapNone { // else it is known already
		gap = transport.Gap{Kind: transport.GapLoss, Text: a.missing, Intact: true}
	}
	if gap.Kind != transport.GapNone {
		v.ends, v.cause, whole = true, gapCause(gap, a.anyShown), false
	}
	if newSPS && (rules.NewSPS || sps == nil) {
		v.newDecoder, whole = true, false
		if sps != nil {
			v.ends, v.cause = true, causeFormat
		}
	}
	if info.Slices == 0 { // the next picture needs what is in it
		v.fate, v.sets = unitKept, info.Data
		return v
	}
	if rules.Generation && a.generation != s.generation {
		v.stale, whole = true, false
	}
	v.key = info.Key && (gap.Kind == transport.GapNone || gap.Intact || !rules.Complete)
	if decoder := v.newDecoder || s.codec != "" && !v.newCodec; !decoder || rules.Complete && !whole && !v.key {
		v.fate = unitWithheld
		if info.Codec == transport.H265 {
			v.sets = info.Sets() // a key frame need not repeat them
		}
		return v
	}
	v.fate, v.data = unitDecoded, info.Data
	if v.start = v.key && !whole; v.start {
		v.data = info.AsFirst()
	}
	return v
}

// gap returns what is missing before a unit, as ingest, the worker or its PTS shows.
func (s *sequence) gap(u transport.CameraUnit) transport.Gap {
	if rules.Discontinuity && u.Gap.Kind != transport.GapNone {
		return u.Gap
	}
	if jump := u.PTS - s.lastPTS; s.started && (jump > maxJump || jump < -maxJump) {
		return transport.Gap{Kind: transport.GapLoss, Text: "the camera's timestamps jumped", Intact: true}
	}
	return transport.Gap{}
}
