package depacketize

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scrim/transport"
)

// Limits of what a camera may send without a complete picture.
const (
	// maxUnitPackets and maxUnitTime bound the packets since the last complete access
	// unit. Fragments with an empty payload cost a camera nothing and need never end.
	maxUnitPackets = 20_000
	maxUnitTime    = 3 * time.Second
	// maxUnitNALUs bounds the NAL units of an access unit: 64 slices and what
	// accompanies them.
	maxUnitNALUs = 128
)

// ReasonNewSSRC is the text of the gap at a change of the SSRC.
const ReasonNewSSRC = "SSRC changed"

// Other texts of gaps.
const (
	reasonConnected    = "connected"
	reasonTooLarge     = "access unit too large"
	reasonTooMany      = "access unit of too many NAL units"
	reasonOpenFragment = "fragment without end"
	reasonMarker       = "marker bit within a picture"
)

// ErrNoPicture ends a connection whose packets never form a picture.
var ErrNoPicture = errors.New("packets keep coming, but no complete picture")

// Assembler builds access units from the RTP packets of one stream, in the order in
// which they must be read. Its payloadFormat knows their content.
//
// Its contract: a unit without a Gap is complete, and so is everything between it and
// the unit before. Sequence numbers prove that. They cannot show a loss of exactly
// 65,536 packets, which is 10 s of the fastest camera and appears as a timestamp jump.
//
// Only Report may be called concurrently with other methods.
type Assembler struct {
	emit   func(transport.CameraUnit)
	clock  senderClock
	log    *slog.Logger
	format payloadFormat

	// sets are the latest parameter sets: of the session description, then in band.
	sets ParameterSets

	// The packet sequence.
	started bool
	ssrc    uint32
	nextSeq uint16
	// gap is set if something is missing before the current packet.
	gap bool
	// next is the Gap before the next unit.
	next transport.Gap

	// The access unit being collected.
	open    bool
	ts      uint32
	arrived time.Time
	buf     []byte
	damage  string // why it must not be delivered
	known   bool   // its first packet directly follows the packet before
	content content
	// fragment is the offset of the current fragmented NAL unit, or -1.
	fragment     int
	fragmentType byte
	// marked is set if a marker bit may have ended the unit; the next packet shows
	// whether it did.
	marked bool
	// provisional is set if only the marker bit says that the unit being finished, or
	// the last one, is complete. provisionalContent is its content.
	provisional        bool
	provisionalContent content

	// marker is the evidence about the camera's marker bits.
	marker markerTrust

	// Previous units.
	seenUnit bool
	lastTS   uint32
	pts      int64
	// idle counts packets since the last delivered unit; idleSince is when the first
	// arrived.
	idle      int
	idleSince time.Time
}

// content describes an access unit.
type content struct {
	nalus        int
	first        byte // type of the first NAL unit
	slices       int
	sliceBytes   int
	startsAtZero bool // the first slice begins the picture
	// opens is set if the content proves that the unit's first packet was received,
	// ends if it proves that the last one was.
	opens, ends bool
	key         bool // a slice of a picture at which decoding can start
	sets        [maxSetKinds]bool
}

// New returns an Assembler for a stream of a codec, which must be Known. Sets are
// the parameter sets of the session description. It calls emit with every complete
// access unit, on the goroutine that calls Push.
func New(codec transport.Codec, sets ParameterSets, log *slog.Logger, emit func(transport.CameraUnit)) *Assembler {
	return &Assembler{
		emit: emit, log: log, format: formatOf(codec), sets: sets,
		next: transport.Gap{Kind: transport.GapConnected, Text: reasonConnected}, gap: true, fragment: -1,
	}
}

// Report reads a sender report, from which the capture times follow. It may be
// called on another goroutine than Push.
func (a *Assembler) Report(sr *rtcp.SenderReport, arrived time.Time) { a.clock.report(sr, arrived) }

// Lose reports that something is missing between the last packet and the next.
func (a *Assembler) Lose(reason string) {
	a.gap = true
	a.marker.forget()
	a.discontinue(reason)
	if a.open {
		a.spoil(reason)
	}
}

// discontinue keeps the first reason: it is the cause of the others.
func (a *Assembler) discontinue(reason string) {
	if a.next.Kind == transport.GapNone {
		a.next = transport.Gap{Kind: transport.GapLoss, Text: reason}
	}
}

// spoil discards the current access unit.
func (a *Assembler) spoil(reason string) {
	a.damage = cmp.Or(a.damage, reason)
	a.marker.forget()
	a.discontinue(reason)
	a.fragment = -1
	a.buf = a.buf[:0]
}

// Push reads the next packet and does not keep its payload. An error is final.
func (a *Assembler) Push(pkt *rtp.Packet, arrived time.Time) error {
	a.sequence(pkt)
	if a.open && pkt.Timestamp != a.ts {
		a.timestampChanged(pkt.Timestamp)
	}
	a.confirm(pkt)
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
		a.onMarker()
	}
	if a.idle >= maxUnitPackets || (a.idle > 1 && arrived.Sub(a.idleSince) > maxUnitTime) {
		err := fmt.Errorf("%w: %d packets in %s", ErrNoPicture, a.idle, arrived.Sub(a.idleSince).Round(100*time.Millisecond))
		if a.next.Kind == transport.GapLoss {
			err = fmt.Errorf("%w; %s", err, a.next.Text)
		}
		return err
	}
	return nil
}

// collect reads a payload. It returns why the unit must be discarded, or "".
func (a *Assembler) collect(payload []byte) string {
	err := a.format.read(a, payload)
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

// sequence compares the sequence number of a packet with the expected one.
func (a *Assembler) sequence(pkt *rtp.Packet) {
	switch {
	case !a.started:
		a.started = true
	case pkt.SSRC != a.ssrc:
		a.Lose(ReasonNewSSRC)
		a.clock.forget()
	case pkt.SequenceNumber != a.nextSeq:
		if n := pkt.SequenceNumber - a.nextSeq; n < 1<<15 {
			a.Lose(fmt.Sprintf("packet loss (%d packets)", n))
		} else {
			a.Lose("packets out of order")
		}
	}
	a.ssrc, a.nextSeq = pkt.SSRC, pkt.SequenceNumber+1
}

// timestampChanged ends the open access unit at the first packet of another one.
func (a *Assembler) timestampChanged(ts uint32) {
	if a.fragment >= 0 {
		a.spoil(reasonOpenFragment)
	}
	if a.content.slices > 0 || a.damage != "" {
		a.learnMarker()
		a.finish()
		return
	}
	// Parameter sets, delimiters and SEI with a timestamp of their own belong to the
	// next picture.
	a.ts, a.marked = ts, false
}

// begin opens an access unit.
func (a *Assembler) begin(ts uint32) {
	a.open, a.ts, a.known = true, ts, !a.gap
	a.buf, a.damage, a.content, a.fragment, a.marked = a.buf[:0], "", content{}, -1, false
}

// finish closes the access unit and delivers it if it is complete.
func (a *Assembler) finish() {
	a.open = false
	if a.seenUnit && a.ts == a.lastTS && a.damage == "" && !a.content.startsAtZero {
		// The unit that was delivered with this timestamp was not the whole picture.
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
		a.provisional = false
		return
	}
	data := a.format.unit(a)
	if len(data) > transport.MaxUnitBytes {
		a.spoil(reasonTooLarge)
		a.provisional = false
		return
	}
	unit := transport.CameraUnit{
		Codec:       a.format.codec(),
		PTS:         a.pts,
		Captured:    a.clock.captured(a.ssrc, a.ts, a.arrived),
		Arrived:     a.arrived,
		Gap:         a.next,
		Provisional: a.provisional,
		Data:        data,
	}
	unit.Gap.Intact = unit.Gap.Kind != transport.GapNone && (a.known || a.content.opens)
	a.next, a.idle = transport.Gap{}, 0
	a.emit(unit)
}
