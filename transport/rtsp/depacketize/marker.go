package depacketize

import "github.com/pion/rtp"

// markerTrust decides when a packet with the marker bit ends a picture. The marker
// should be on the last packet of an access unit (RFC 6184, section 5.1; RFC 7798,
// section 4.1; RFC 2435, section 3). Without trust in it, only the first packet of the
// next picture ends a picture, one frame later.
//
// Quirk (cameras): many set the marker on every slice, such as those with live555's
// H264VideoStreamDiscreteFramer. They are correct while a picture is one slice. A part
// of a picture that is delivered as a whole decodes without an error: FFmpeg invents
// the rest. See docs/quirks.md. So the marker ends a picture only if all of this is
// true:
//
//   - it was never found within a picture on this connection;
//   - the picture contains neither a slice of a key frame nor a parameter set, where
//     an encoder may change how it divides pictures;
//   - since the last of those, and since the last loss, every picture that ended with
//     a marker and a new timestamp had as many slices as this one;
//   - one of those pictures was larger, by more than the largest block that an encoder
//     codes at a time. An encoder that divides pictures by size would have divided it.
//
// The end of a JPEG image, if the camera sends it, needs no trust.
//
// So key frames, and the few other pictures of their size, wait for the first packet of
// the next picture. To save that time, a key frame with as many slices as the last
// keyProofs is delivered at its marker as provisional, and its output waits instead.
// One case remains: an encoder that, without a key frame or parameter set, suddenly
// divides pictures into more slices for another reason than their size. Then one
// picture lacks its end, and the next packet shuts the gate with reasonMarker.
type markerTrust struct {
	// lies is set if the marker was found within a picture.
	lies bool
	// slices is the number of slices of the proven pictures: 0 without such pictures,
	// variable if they differ.
	slices int
	// bytes is the size of the slices of the largest proven picture.
	bytes int
	// keySlices is the number of slices of the last proven key frame, and keys the
	// number of such key frames in a row since the last loss.
	keySlices, keys int
}

// keyProofs is the number of proven key frames with equally many slices after which the
// marker of the next one is probably correct.
const keyProofs = 3

// variable stands for different numbers of slices.
const variable = -1

// forget drops the evidence about how pictures are divided.
func (m *markerTrust) forget() { *m = markerTrust{lies: m.lies} }

// learn accepts a picture that is known to be complete, with a marker at its end only.
func (m *markerTrust) learn(c *content) {
	if c.mayChange() {
		m.slices, m.bytes = 0, 0
	}
	if c.key {
		if c.slices != m.keySlices {
			m.keySlices, m.keys = c.slices, 0
		}
		m.keys++
	}
	switch m.slices {
	case 0:
		m.slices = c.slices
	case c.slices:
	default:
		m.slices = variable
	}
	m.bytes = max(m.bytes, c.sliceBytes)
}

// ends reports whether a marker after c ends the picture. Block is by how many bytes a
// slice can be smaller than the size at which the encoder divides.
func (m *markerTrust) ends(c *content, block int) bool {
	return !m.lies && !c.mayChange() && m.slices == c.slices && c.sliceBytes+block <= m.bytes
}

// likely reports whether a marker after c probably ends the picture.
func (m *markerTrust) likely(c *content) bool {
	return c.key && m.keys >= keyProofs && c.slices == m.keySlices
}

// mayChange reports whether the encoder may divide pictures differently from here on.
func (c *content) mayChange() bool { return c.key || c.sets != [maxSetKinds]bool{} }

// learnMarker is called if a new timestamp ends the open access unit.
func (a *Assembler) learnMarker() {
	switch {
	case a.damage != "": // spoil has forgotten the evidence
	case a.marked:
		a.marker.learn(&a.content)
	default:
		a.marker.forget()
	}
}

// confirm checks the first packet after a provisional unit. Another timestamp confirms
// the marker. A gap confirms nothing.
func (a *Assembler) confirm(pkt *rtp.Packet) {
	if !a.provisional {
		return
	}
	switch a.provisional = false; {
	case a.gap: // the rest may have been lost
	case pkt.Timestamp != a.lastTS || !a.format.continues(pkt.Payload):
		a.marker.learn(&a.provisionalContent)
	}
}

// checkMarker checks whether the last marker bit ended a picture.
func (a *Assembler) checkMarker(pkt *rtp.Packet) {
	switch {
	case a.marker.lies || a.gap:
	case a.open && a.marked && a.format.continues(pkt.Payload):
		a.distrustMarker()
		a.marked = false
	case a.open && a.marked && len(pkt.Payload) > 0 && a.format.begins(pkt.Payload):
		// Another picture with the same timestamp.
		a.finish()
	case !a.open && a.seenUnit && pkt.Timestamp == a.lastTS && a.format.continues(pkt.Payload):
		a.distrustMarker()
		a.Lose(reasonMarker)
		a.begin(pkt.Timestamp)
		a.spoil(reasonMarker)
	}
}

func (a *Assembler) distrustMarker() {
	a.marker.lies = true
	a.log.Warn("camera sets the RTP marker bit within pictures; separating them by timestamp, one frame later")
}

// onMarker is called after a packet with the marker bit.
func (a *Assembler) onMarker() {
	if a.marker.lies {
		return
	}
	if a.fragment >= 0 {
		a.spoil(reasonOpenFragment)
	}
	switch {
	case a.damage == "" && a.content.slices == 0:
		// Some cameras mark parameter sets.
	case a.damage != "" || a.content.ends || a.marker.ends(&a.content, a.format.maxBlock()):
		a.finish()
	case a.marker.likely(&a.content):
		a.provisional, a.provisionalContent = true, a.content
		a.finish()
	default:
		a.marked = true
	}
}
