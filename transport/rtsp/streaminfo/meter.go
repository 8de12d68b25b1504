package streaminfo

import (
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// clockRate is the RTP clock rate of all video (RFC 3551, section 5).
const clockRate = 90_000

// maxSources bounds the SSRCs that are counted.
const maxSources = 16

// Meter measures the packets of one stream. Its methods may be called from many
// goroutines.
type Meter struct {
	mu sync.Mutex
	s  Stream

	started bool
	ssrc    uint32
	next    uint16
	octets  int

	// The current picture.
	open   bool
	ts     uint32
	began  time.Time
	slices int
	key    bool
	marked bool

	// Previous pictures.
	first, last    time.Time
	firstTS, topTS int64 // unwrapped, in display order
	lastTS         uint32
	unwrapped      int64
	keys           spacing
	firstOctets    int
	lastOctets     int
}

// NewMeter returns a Meter for a codec: H264, H265, JPEG or another name. Sets are the
// parameter sets of the session description, for a stream without sets in band.
func NewMeter(codec string, sets ...[]byte) *Meter {
	m := &Meter{s: Stream{Codec: codec}}
	for _, s := range sets {
		m.parameterSet(s)
	}
	m.s.InBand = false
	return m
}

// Push reads the next packet, in the order of arrival, and keeps nothing of it.
func (m *Meter) Push(pkt *rtp.Packet, arrived time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.sequence(pkt) {
		return
	}
	m.s.Packets++
	if len(pkt.Payload) == 0 {
		return
	}
	if m.open && pkt.Timestamp != m.ts {
		m.finish()
	}
	if !m.open {
		m.open, m.ts, m.began, m.slices, m.key, m.marked = true, pkt.Timestamp, arrived, 0, false, false
	} else if m.marked {
		m.s.MarkerWithin = m.s.MarkerWithin || m.slices > 0
	}
	m.octets += len(pkt.Payload)
	m.payload(pkt.Payload)
	m.marked = pkt.Marker
}

// sequence counts missing packets. It returns false for a packet that is too late.
func (m *Meter) sequence(pkt *rtp.Packet) bool {
	switch n := pkt.SequenceNumber - m.next; {
	case !m.started || pkt.SSRC != m.ssrc:
		m.started, m.ssrc = true, pkt.SSRC
		if m.s.Sources < maxSources {
			m.s.Sources++
		}
		m.open = false
	case n == 0:
	case n < 1<<15:
		m.s.Lost += int(n)
		m.keys.missing = true
	default:
		// It was counted as lost unless it is a repetition.
		m.s.Late++
		m.s.Lost = max(0, m.s.Lost-1)
		return false
	}
	m.next = pkt.SequenceNumber + 1
	return true
}

// payload reads the content of a packet.
func (m *Meter) payload(p []byte) {
	switch m.s.Codec {
	case "H264":
		for h := range headers264(p) {
			switch h.data[0] & 0x1f {
			case h264Slice, h264PartitionA, h264IDR:
				m.s.BFrames = m.s.BFrames || isB264(h.data)
				m.slices++
				m.key = m.key || h.data[0]&0x1f == h264IDR
			case h264SPS, h264PPS:
				if h.whole {
					m.parameterSet(h.data)
				}
			}
		}
	case "H265":
		for h := range headers265(p) {
			switch t := h.data[0] >> 1 & 0x3f; {
			case t <= h265LastSlice:
				m.slices++
				m.key = m.key || t >= h265FirstIRAP && t <= h265LastIRAP
			case (t == h265SPS || t == h265PPS) && h.whole:
				m.parameterSet(h.data)
			}
		}
	case "JPEG":
		// RFC 2435, section 3.1: width and height in blocks of 8 pixels.
		if len(p) >= 8 && p[1] == 0 && p[2] == 0 && p[3] == 0 {
			m.s.Width, m.s.Height = int(p[6])*8, int(p[7])*8
			m.slices, m.key = 1, true
		}
	default:
		m.slices = 1
	}
}

// finish counts the current picture.
func (m *Meter) finish() {
	m.open = false
	if m.slices == 0 {
		return // parameter sets with a timestamp of their own
	}
	m.s.Pictures++
	m.s.Slices = max(m.s.Slices, m.slices)
	if m.s.Pictures == 1 {
		m.first, m.lastTS, m.firstOctets = m.began, m.ts, m.octets
	} else {
		step := int64(int32(m.ts - m.lastTS)) //nolint:gosec // wraps by design
		m.unwrapped += step
		m.lastTS = m.ts
		m.s.Reordered = m.s.Reordered || step < 0 && step > -10*clockRate
		m.s.LongestGap = max(m.s.LongestGap, m.began.Sub(m.last).Seconds())
	}
	m.firstTS, m.topTS = min(m.firstTS, m.unwrapped), max(m.topTS, m.unwrapped)
	m.last, m.lastOctets = m.began, m.octets
	m.keys.picture(m.key, m.began.Sub(m.first))
	if m.key {
		m.s.KeyFrames++
	}
}

// Report reads an RTCP packet. It uses sender reports only.
func (m *Meter) Report(pkt rtcp.Packet, arrived time.Time) {
	sr, ok := pkt.(*rtcp.SenderReport)
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.Reports++
	if sr.NTPTime == 0 { // a camera without a clock (RFC 3550, section 6.4.1)
		return
	}
	ahead := ntpTime(sr.NTPTime).Sub(arrived).Seconds()
	// The report with the shortest delay is the most exact.
	if !m.s.ClockSet || ahead > m.s.ClockAhead {
		m.s.ClockAhead = ahead
	}
	m.s.ClockSet = true
}

// Result returns the measurements so far.
func (m *Meter) Result() Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.s
	s.Seconds = m.last.Sub(m.first).Seconds()
	s.GOP, s.GOPSeconds, s.GOPAtLeast = m.keys.result(m.last.Sub(m.first))
	if s.Pictures > 1 && s.Seconds > 0 {
		s.FPS = float64(s.Pictures-1) / s.Seconds
		s.Bitrate = int(float64(m.lastOctets-m.firstOctets) * 8 / s.Seconds)
	}
	if span := float64(m.topTS-m.firstTS) / clockRate; s.Pictures > 1 && span > 0 {
		s.TimestampFPS = float64(s.Pictures-1) / span
	}
	return s
}

// ntpTime converts the time of a sender report (RFC 5905, section 6).
func ntpTime(v uint64) time.Time {
	const epoch = -2208988800                                                           //nolint:revive // 1900 in Unix seconds
	return time.Unix(int64(v>>32)+epoch, int64((v&0xffffffff)*uint64(time.Second)>>32)) //nolint:gosec // below 2^32
}
