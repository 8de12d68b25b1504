package depacketize

import "github.com/pion/rtp"

// markerTrust says when a packet with the marker bit, which ought to be the last
// of an access unit (RFC 6184, section 5.1; RFC 7798, section 4.1; RFC 2435, section
// 3), is taken for the end of a picture. Otherwise the first packet of the next picture is, one frame later.
//
// TRAPS: many cameras, those with live555's H264VideoStreamDiscreteFramer for
// instance, set it on every slice, and are honest for as long as a picture is one
// slice. A part of a picture that is delivered as a whole decodes without an
// error: FFmpeg makes the rest up. So the marker ends a picture only when all of
// this holds:
//
//   - it has never been found within a picture on this connection;
//   - the picture has neither a slice of a key frame nor a parameter set. At those
//     an encoder may change how it cuts pictures;
//   - since the last of those, and since the last loss, every picture that ended
//     with a marker and the next timestamp had as many slices as this one;
//   - one of those pictures was larger, by more than the largest block that an
//     encoder codes at a time. One that cuts slices at a size would have cut that
//     one.
//
// The end of a JPEG image, where a camera sends it, needs no trust at all.
//
// Key frames, and the few pictures that are as large as they, thus wait for the
// first packet of the next picture. So as not to lose a frame's time, a key frame
// that was cut like the last keyProofs is delivered at its marker as provisional: what
// is made of it waits instead. What is left
// is an encoder that, all of a sudden, with neither key frame nor parameter set,
// cuts pictures into more slices than before for another reason than their size.
// Then one picture lacks its end, and the next packet shuts the gate with
// reasonMarker.
type markerTrust struct {
	// lies is set when the marker was within a picture.
	lies bool
	// slices is how many slices the proven pictures had: 0 when there is none,
	// variable when they differ.
	slices int
	// bytes is the size of the largest of them, without all that is no slice.
	bytes int
	// keySlices is how many slices the last key frame had that was proven, and keys
	// how many of them in a row, since the last loss.
	keySlices, keys int
}

// keyProofs is after how many key frames, all of as many slices and proven, the
// marker of the next is likely to be true.
const keyProofs = 3

// variable is no number of slices.
const variable = -1

// forget takes back what was proven of the way that pictures are cut.
func (m *markerTrust) forget() { *m = markerTrust{lies: m.lies} }

// learn takes a picture that is known to be whole and to have had its marker at
// the end, and only there.
func (m *markerTrust) learn(c *content) {
	if c.startsAnew() {
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

// ends reports whether a marker after c is the end of the picture, where a slice
// can fall short by block bytes of the size at which the encoder cuts.
func (m *markerTrust) ends(c *content, block int) bool {
	return !m.lies && !c.startsAnew() && m.slices == c.slices && c.sliceBytes+block <= m.bytes
}

// seems reports whether a marker after c is likely to be the end of the picture.
func (m *markerTrust) seems(c *content) bool {
	return c.key && m.keys >= keyProofs && c.slices == m.keySlices
}

// startsAnew reports whether the encoder may cut pictures in another way from
// here on.
func (c *content) startsAnew() bool { return c.key || c.sets != [maxSetKinds]bool{} }

// learnMarker is called when another timestamp ends the open access unit.
func (a *Assembler) learnMarker() {
	switch {
	case a.damage != "": // spoil has made it forgotten
	case a.marked:
		a.marker.learn(&a.content)
	default:
		a.marker.forget()
	}
}

// prove takes the first packet after a provisional unit: of another time, it shows
// that the marker was right. A gap shows nothing.
func (a *Assembler) prove(pkt *rtp.Packet) {
	if !a.provisional {
		return
	}
	switch a.provisional = false; {
	case a.gap: // what is lost may have been the rest
	case pkt.Timestamp != a.lastTS || !a.format.continues(pkt.Payload):
		a.marker.learn(&a.toProve)
	}
}

// checkMarker finds out whether the marker bit before was the end of a picture.
func (a *Assembler) checkMarker(pkt *rtp.Packet) {
	switch {
	case a.marker.lies || a.gap:
	case a.open && a.marked && a.format.continues(pkt.Payload):
		a.distrustMarker()
		a.marked = false
	case a.open && a.marked && len(pkt.Payload) > 0 && a.format.begins(pkt.Payload):
		// Another picture of the same time.
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
	a.log.Warn("camera sets the RTP marker bit within pictures; telling them apart by timestamp, one frame later")
}

// marks is called after a packet with the marker bit.
func (a *Assembler) marks() {
	if a.marker.lies {
		return
	}
	if a.fragment >= 0 {
		a.spoil(reasonOpenFragment)
	}
	switch {
	case a.damage == "" && a.content.slices == 0:
		// Some cameras set it on parameter sets.
	case a.damage != "" || a.content.ends || a.marker.ends(&a.content, a.format.maxBlock()):
		a.finish()
	case a.marker.seems(&a.content):
		a.provisional, a.toProve = true, a.content
		a.finish()
	default:
		a.marked = true
	}
}
