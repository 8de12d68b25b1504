package rtsp

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pion/rtp"

	"scrim/transport"
)

// Limits of what a camera may send before a picture is complete.
const (
	// maxUnitPackets and maxUnitTime bound the packets that come without a
	// complete access unit among them. TRAPS: fragments with an empty payload cost
	// nothing and never end.
	maxUnitPackets = 20_000
	maxUnitTime    = 3 * time.Second
	// maxUnitNALUs bounds the NAL units of an access unit: 64 slices, and what
	// accompanies them.
	maxUnitNALUs = 128
)

// Discontinuities. The first unit of a connection has discontinuityConnected.
const (
	discontinuityConnected = "connected"
	reasonNewSSRC          = "SSRC changed"
	reasonTooLarge         = "access unit too large"
	reasonTooMany          = "access unit of too many NAL units"
	reasonOpenFragment     = "fragment without end"
	reasonMarker           = "marker bit within a picture"
)

// errNoUnits ends a connection whose packets never make a picture.
var errNoUnits = errors.New("packets keep coming, but no complete picture")

// assembler makes access units out of the RTP packets of one H.264 stream (RFC
// 6184, packetization modes 0 and 1), given in the order in which they are to be
// read. gortsplib's own decoder is not used, because it loses silently: a
// fragmented unit without end that is followed by another packet, a picture
// whose last packet is lost, and the NAL units before an error all vanish
// without one.
//
// Its contract: a unit with an empty Discontinuity is whole, and so is
// everything between it and the unit before. Sequence numbers prove that; a
// loss of exactly 65,536 packets, which they cannot show, is 10 s of the
// fastest camera and caught as a timestamp jump.
//
// It is not safe for concurrent use.
type assembler struct {
	emit  func(transport.CameraUnit)
	clock *senderClock
	log   *slog.Logger

	// Latest parameter sets, from the session description, then in band.
	sps, pps [][]byte

	// The packet sequence.
	started bool
	ssrc    uint32
	nextSeq uint16
	// gap is set when something is missing before the packet now being read.
	gap bool
	// reason is the Discontinuity of the next unit.
	reason string

	// The access unit being collected.
	open    bool
	ts      uint32
	arrived time.Time
	buf     []byte
	damage  string // why it cannot be delivered
	known   bool   // its first packet follows the packet before with no gap
	content content
	// fragment is the offset of the fragmented NAL unit being read, or -1.
	fragment     int
	fragmentType byte
	// marked is set when a marker bit may have ended the unit, and the next packet
	// is to show it.
	marked bool
	// unproven is set when the unit being finished, or the last one, has only its
	// marker bit to say that it is whole; toProve is what it held.
	unproven bool
	toProve  content

	// marker is what is known of the camera's marker bits.
	marker markerTrust

	// What came before.
	seenUnit bool
	lastTS   uint32
	pts      int64
	// idle counts packets since the last delivered unit; idleSince is the first.
	idle      int
	idleSince time.Time
}

// content is what an access unit holds.
type content struct {
	nalus          int
	first          byte // type of the first NAL unit
	slices         int
	sliceBytes     int
	startsAtZero   bool // the first slice begins the picture
	idr            bool
	sps, pps       bool
	setsBeforeData bool // SPS and PPS come before the first slice
}

func newAssembler(emit func(transport.CameraUnit), clock *senderClock, log *slog.Logger, sps, pps [][]byte) *assembler {
	return &assembler{
		emit: emit, clock: clock, log: log, sps: sps, pps: pps,
		reason: discontinuityConnected, gap: true, fragment: -1,
	}
}

// lose tells that something is missing between the packet before and the next.
func (a *assembler) lose(reason string) {
	a.gap = true
	a.marker.forget()
	a.discontinue(reason)
	if a.open {
		a.spoil(reason)
	}
}

// discontinue keeps the first reason: it is the cause of what follows.
func (a *assembler) discontinue(reason string) {
	if a.reason == "" {
		a.reason = reason
	}
}

// spoil gives the current access unit up.
func (a *assembler) spoil(reason string) {
	if a.damage == "" {
		a.damage = reason
	}
	a.marker.forget()
	a.discontinue(reason)
	a.fragment = -1
	a.buf = a.buf[:0]
}

// push reads one packet, whose payload it does not keep. The error is fatal.
func (a *assembler) push(pkt *rtp.Packet, arrived time.Time) error {
	a.sequence(pkt)
	if a.open && pkt.Timestamp != a.ts {
		a.timestampChanged(pkt.Timestamp)
	}
	a.prove(pkt)
	a.checkMarker(pkt)
	if !a.open {
		a.begin(pkt.Timestamp)
	}
	a.gap = false
	a.arrived = arrived
	if a.idle == 0 {
		a.idleSince = arrived
	}
	a.idle++

	// An empty payload is padding (RFC 3550, section 5.1): nothing was lost.
	if a.damage == "" && len(pkt.Payload) > 0 {
		if why := a.collect(pkt.Payload); why != "" {
			a.spoil(why)
		}
	}
	if pkt.Marker {
		a.marks()
	}
	if a.idle >= maxUnitPackets || (a.idle > 1 && arrived.Sub(a.idleSince) > maxUnitTime) {
		return fmt.Errorf("%w: %d packets in %s", errNoUnits, a.idle, arrived.Sub(a.idleSince).Round(100*time.Millisecond))
	}
	return nil
}

// collect reads a payload and says why the unit cannot be kept, or "".
func (a *assembler) collect(payload []byte) string {
	err := a.read(payload)
	switch {
	case err != nil:
		return err.Error()
	case len(a.buf) > transport.MaxUnitBytes:
		return reasonTooLarge
	case a.content.nalus > maxUnitNALUs:
		return reasonTooMany
	default:
		return ""
	}
}

// sequence compares a packet's number with the one that is due.
func (a *assembler) sequence(pkt *rtp.Packet) {
	switch {
	case !a.started:
		a.started = true
	case pkt.SSRC != a.ssrc:
		a.lose(reasonNewSSRC)
		a.clock.forget()
	case pkt.SequenceNumber != a.nextSeq:
		if n := pkt.SequenceNumber - a.nextSeq; n < 1<<15 {
			a.lose(fmt.Sprintf("packet loss (%d packets)", n))
		} else {
			a.lose("packets out of order")
		}
	}
	a.ssrc, a.nextSeq = pkt.SSRC, pkt.SequenceNumber+1
}

// timestampChanged ends the open access unit at a packet of another one.
func (a *assembler) timestampChanged(ts uint32) {
	if a.fragment >= 0 {
		a.spoil(reasonOpenFragment)
	}
	if a.content.slices > 0 || a.damage != "" {
		a.learnMarker()
		a.finish()
		return
	}
	// Parameter sets, delimiters and SEI under a timestamp of their own belong to
	// the picture that follows.
	a.ts, a.marked = ts, false
}

// begin opens an access unit.
func (a *assembler) begin(ts uint32) {
	a.open, a.ts, a.known = true, ts, !a.gap
	a.buf, a.damage, a.content, a.fragment, a.marked = a.buf[:0], "", content{}, -1, false
}

// finish delivers the access unit, if it is whole, and closes it.
func (a *assembler) finish() {
	a.open = false
	if a.seenUnit && a.ts == a.lastTS && a.damage == "" && !a.content.startsAtZero {
		// What was delivered under this timestamp was not the whole picture.
		a.distrustMarker()
		a.spoil(reasonMarker)
	}
	if a.seenUnit {
		step := int64(int32(a.ts - a.lastTS))
		a.pts += step
		if d := ticks(step); d > maxStep || d < -maxStep {
			a.discontinue(fmt.Sprintf("timestamp jump of %s", d.Round(100*time.Millisecond)))
			a.clock.forget()
		}
	} else {
		a.seenUnit, a.pts = true, int64(a.ts)
	}
	a.lastTS = a.ts
	if a.damage == "" && !a.known && !a.content.startsAtZero {
		a.spoil("picture without beginning")
	}
	if a.damage != "" {
		a.unproven = false
		return
	}
	data := a.withParameterSets()
	if len(data) > transport.MaxUnitBytes {
		a.spoil(reasonTooLarge)
		a.unproven = false
		return
	}
	unit := transport.CameraUnit{
		Codec:         transport.H264,
		PTS:           a.pts,
		Captured:      a.clock.captured(a.ssrc, a.ts, a.arrived),
		Arrived:       a.arrived,
		Discontinuity: a.reason,
		Intact:        a.intact(),
		Unproven:      a.unproven,
		Data:          data,
	}
	a.reason, a.idle = "", 0
	a.emit(unit)
}

// intact reports whether the unit's first packet is known to be its first. After
// a gap only content tells: a delimiter is always the first NAL unit, and
// nothing that matters comes before parameter sets (H.264, section 7.4.1.2.3).
// An IDR alone is not enough: the gap may have taken a new SPS.
func (a *assembler) intact() bool {
	return a.known || (a.content.startsAtZero && (a.content.first == typeAUD || a.content.setsBeforeData))
}

// withParameterSets copies the unit, with the latest SPS and PPS put before an
// IDR that comes without.
func (a *assembler) withParameterSets() []byte {
	c := &a.content
	if c.sps || c.pps {
		a.learnParameterSets()
	}
	if !c.idr || (c.sps && c.pps) || len(a.sps) == 0 || len(a.pps) == 0 {
		return slices.Clone(a.buf)
	}
	size := len(a.buf)
	for _, sets := range [][][]byte{a.sps, a.pps} {
		for _, s := range sets {
			size += len(startCode) + len(s)
		}
	}
	data, rest := make([]byte, 0, size), a.buf
	if c.first == typeAUD { // stays first (H.264, section 7.4.1.2.3)
		if i := bytes.Index(rest[len(startCode):], startCode); i >= 0 {
			data, rest = append(data, rest[:len(startCode)+i]...), rest[len(startCode)+i:]
		}
	}
	for _, sets := range [][][]byte{a.sps, a.pps} {
		for _, s := range sets {
			data = append(append(data, startCode...), s...)
		}
	}
	return append(data, rest...)
}

// learnParameterSets keeps those that came in band: they are newer than the
// session description's.
func (a *assembler) learnParameterSets() {
	var sps, pps [][]byte
	for n := range nalus(a.buf) {
		switch naluType(n[0]) {
		case typeSPS:
			sps = append(sps, n)
		case typePPS:
			pps = append(pps, n)
		}
	}
	keep := func(have *[][]byte, got [][]byte) {
		if len(got) == 0 || len(got) > maxParameterSets || slices.EqualFunc(*have, got, bytes.Equal) {
			return
		}
		*have = nil
		for _, s := range got {
			*have = append(*have, slices.Clone(s))
		}
	}
	keep(&a.sps, sps)
	keep(&a.pps, pps)
}
