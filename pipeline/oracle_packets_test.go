package pipeline

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/rtcpreceiver"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/rtsp/depacketize"
)

// path is what happens to the packets of a film between camera and assembler,
// from its second picture on.
type path struct {
	name string
	// size is the payload of a packet in bytes: so small that there are packets to
	// lose, and so large that key frames come through.
	size int
	// lose and reorder are the shares of packets that are lost, and that arrive
	// after some of the next.
	lose, reorder float64
	// burst is how many packets are lost together, on average; 0: 1.
	burst float64
	// pictures is the number of pictures whose packets are all lost, once in a group.
	pictures int
	// sorted: they pass the reorder buffer that a client uses with UDP.
	sorted bool
	// bframes: the film has them; hevc: in H.265.
	bframes, hevc bool
}

var paths = []path{
	{name: "packets as they are", size: 400},
	{name: "packets lost: 0.1 %", size: 160, lose: 0.001},
	{name: "packets lost: 1 %", size: 400, lose: 0.01},
	{name: "packets lost: 5 %", size: 1400, lose: 0.05},
	{name: "packets lost: 1 %, with B-frames", size: 400, lose: 0.01, bframes: true},
	{name: "packets lost: 1 %, of H.265", size: 400, lose: 0.01, hevc: true},
	{name: "packets reordered: 1 %, of H.265", size: 400, reorder: 0.01, hevc: true},
	{name: "packets lost: 5 %, in bursts", size: 160, lose: 0.05, burst: 100},
	{name: "packets lost: those of a cycle of frame_num", size: 400, pictures: 16},
	{name: "packets reordered: 0.1 %", size: 160, reorder: 0.001},
	{name: "packets reordered: 1 %", size: 400, reorder: 0.01},
	{name: "packets reordered: 5 %", size: 1400, reorder: 0.05},
	{name: "packets reordered: 5 %, put in order", size: 400, reorder: 0.05, sorted: true},
	{name: "packets lost and reordered: 1 %, put in order", size: 400, lose: 0.01, reorder: 0.01, sorted: true},
}

// packet is one of a film's packets.
type packet struct {
	*rtp.Packet
	at int // when it arrives, in packets
}

// packetise makes RTP packets of a film, by picture.
func packetise(t *testing.T, f *film, size int) [][]packet {
	t.Helper()
	h264 := rtph264.Encoder{PayloadType: 96, PayloadMaxSize: size, PacketizationMode: 1}
	require.NoError(t, h264.Init())
	h265 := rtph265.Encoder{PayloadType: 96, PayloadMaxSize: size}
	require.NoError(t, h265.Init())
	encode := h264.Encode
	if f.kind.hevc {
		encode = h265.Encode
	}
	all := make([][]packet, len(f.units))
	n := 0
	for i, u := range f.units {
		var nalus [][]byte
		for n := range bytes.SplitSeq(u.Data, []byte{0, 0, 1}) {
			if n = bytes.TrimRight(n, "\x00"); len(n) > 0 {
				nalus = append(nalus, n)
			}
		}
		pkts, err := encode(nalus)
		require.NoError(t, err)
		for _, p := range pkts {
			p.Timestamp = uint32(i * transport.ClockRate / filmRate) //nolint:gosec // small
			all[i] = append(all[i], packet{p, n})
			n++
		}
	}
	return all
}

// travel sends packets along a path. It returns them by the picture during which they
// arrive, in order of arrival, and how many were lost and how many overtaken.
func (w *path) travel(all [][]packet, r *rand.Rand) (arriving [][]packet, lost, late int) {
	arriving = make([][]packet, len(all))
	var under []packet // way, in order of arrival
	losing, from := 0, 0
	for i, pkts := range all {
		if i%filmGroup == 1 && w.pictures > 0 {
			from = i + r.IntN(filmGroup-1-w.pictures)
		}
		for _, p := range pkts {
			if losing == 0 && r.Float64() < w.lose/max(w.burst, 1) {
				losing = 1 + int(r.ExpFloat64()*(max(w.burst, 1)-1)+0.5)
			}
			now := p.at
			switch {
			case i == 0:
				losing = 0
			case losing > 0 || i >= from && i < from+w.pictures:
				losing = max(losing-1, 0)
				lost++
				continue
			case r.Float64() < w.reorder:
				p.at += 2 + r.IntN(8)
				late++
			}
			k := len(under)
			for k > 0 && under[k-1].at > p.at {
				k--
			}
			under = slices.Insert(under, k, p)
			for len(under) > 0 && under[0].at <= now {
				arriving[i] = append(arriving[i], under[0])
				under = under[1:]
			}
		}
	}
	last := len(all) - 1
	arriving[last] = append(arriving[last], under...)
	return arriving, lost, late
}

// TestOraclePackets is the marker oracle with a network: films are sent as RTP
// packets. Some are lost or reordered. What the assembler of transport/rtsp makes of the
// rest goes through the pipeline.
func TestOraclePackets(t *testing.T) {
	for _, w := range paths {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			lost, late, live := 0, 0, 0
			for seed := range oracleSeeds(t) {
				bare := seed%2 == 0
				t.Run(fmt.Sprintf("seed %d, bare tracker %v", seed, bare), func(t *testing.T) {
					l, o, v := testPath(t, &w, seed, bare)
					lost, late, live = lost+l, late+o, live+v
				})
			}
			t.Logf("%d packets lost, %d late, %d pictures shown", lost, late, live)
			require.Equal(t, w.lose > 0 || w.pictures > 0, lost > 0, "%d packets were lost", lost)
			require.Equal(t, w.reorder > 0, late > 0, "%d packets came late", late)
			require.Greater(t, live, filmLength/20, "hardly anything was shown that could show a face")
		})
	}
}

// testPath sends a film and judges what comes out.
func testPath(t *testing.T, w *path, seed uint64, bare bool) (lost, late, live int) {
	s := newShow(t, showOptions{seed: seed, bare: bare, reorders: w.bframes, hevc: w.hevc})
	arriving, lost, late := w.travel(packetise(t, s.film, w.size), s.rng)
	var units []transport.CameraUnit
	told := 0 // units that say that something is missing
	asm := depacketize.New(s.film.units[0].Codec, depacketize.ParameterSets{}, noLog, func(u transport.CameraUnit) { units = append(units, u) })
	sorter := rtcpreceiver.RTCPReceiver{ClockRate: transport.ClockRate, UnrealiableTransport: true, Period: time.Hour}
	require.NoError(t, sorter.Initialize())
	defer sorter.Close()
	for _, pkts := range arriving {
		now := s.time.timeline().now()
		for _, p := range pkts {
			in := []*rtp.Packet{p.Packet}
			if w.sorted {
				var err error
				in, _, err = sorter.ProcessPacket2(p.Packet, now, false)
				require.NoError(t, err)
			}
			for _, p := range in {
				require.NoError(t, asm.Push(p, now))
			}
		}
		if len(units) == 0 {
			s.pass()
			continue
		}
		for _, u := range units {
			if u.Gap.Kind != transport.GapNone {
				told++
			}
			s.send(u, s.film.first+uint32(u.PTS*filmRate/transport.ClockRate)) //nolint:gosec // small
		}
		units = units[:0]
	}
	s.end()

	marks, first := s.hits()
	if marks > 0 {
		t.Errorf("oracle: markers: %d are visible; first %s", marks, first)
	}
	if len(s.stale) > 0 {
		t.Errorf("oracle: stale: %d pictures should not have been shown; first: %s", len(s.stale), s.stale[0])
	}
	for _, v := range s.seen {
		if v.State == transport.StateLive {
			live++
		}
	}
	noticed := told - 1 // the first always does
	t.Logf("%d packets lost, %d late; noticed %d times, %d pictures live", lost, late, noticed, live)
	if w.sorted && lost == 0 || lost+late == 0 {
		require.Zero(t, noticed)
		require.GreaterOrEqual(t, live, filmLength-2) // the last one waits for the next
	} else {
		require.Positive(t, noticed)
	}
	return lost, late, live
}
