package depacketize

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

var (
	testSPS = []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84}
	testPPS = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

// noise is slice data: no byte of it can be part of a start code.
func noise(r *rand.Rand, header byte, first bool, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(4 + r.IntN(252))
	}
	b[0], b[1] = header, b[1]&^firstSliceBit
	if first {
		b[1] |= firstSliceBit
	}
	return b
}

func annexB(nalus ...[]byte) []byte {
	var b []byte
	for _, n := range nalus {
		b = append(append(b, startCode...), n...)
	}
	return b
}

// feed pushes packets and returns the units that came out.
func feed(t testing.TB, a *Assembler, pkts ...*rtp.Packet) (units []transport.CameraUnit) {
	t.Helper()
	a.emit = func(u transport.CameraUnit) { units = append(units, u) }
	for _, p := range pkts {
		require.NoError(t, a.Push(p, time.Unix(1000, 0)))
	}
	return units
}

// feedAll is feed, and what then still waits for the next picture.
func feedAll(t testing.TB, a *Assembler, pkts ...*rtp.Packet) []transport.CameraUnit {
	t.Helper()
	units := feed(t, a, pkts...)
	if a.open {
		p := packets(a.nextSeq, a.ts+1, nil)[0]
		p.SSRC, p.Marker = a.ssrc, false
		ts := a.ts
		units = append(units, feed(t, a, p)...)
		a.open, a.ts = false, ts
		a.nextSeq-- // it has never been
	}
	return units
}

func testAssembler() *Assembler {
	return New(transport.H264, ParameterSets{}, slog.New(slog.DiscardHandler), func(transport.CameraUnit) {})
}

// packets numbers payloads from seq on, all at ts, with the marker on the last.
func packets(seq uint16, ts uint32, payloads ...[]byte) []*rtp.Packet {
	var out []*rtp.Packet
	for i, p := range payloads {
		out = append(out, &rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: 96, SSRC: 7, SequenceNumber: seq + uint16(i), Timestamp: ts, Marker: i == len(payloads)-1},
			Payload: p,
		})
	}
	return out
}

// started returns an assembler that has delivered one picture, at timestamp 0
// with sequence number 0, and trusts the marker.
func started(t testing.TB) *Assembler {
	t.Helper()
	a := testAssembler()
	idr := noise(rand.New(rand.NewPCG(1, 1)), 0x65, true, 4*h264.block)
	feed(t, a, packets(0, 0, testSPS, testPPS, idr)...)
	units := feed(t, a, packets(3, 3000, []byte{0x41, 0x9a, 1})...)
	require.Len(t, units, 2)
	require.Equal(t, "connected", units[0].Gap.Text)
	require.True(t, units[0].Gap.Intact)
	require.Empty(t, units[1].Gap.Kind)
	a.emit = func(transport.CameraUnit) {}
	return a
}

// TestUnitWithoutGapMeansNothingWasLost is the property that the
// privacy gate rests on, over random pictures, packetisations and losses.
func TestUnitWithoutGapMeansNothingWasLost(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			enc := rtph264.Encoder{PayloadType: 96, PayloadMaxSize: 100 + r.IntN(400), PacketizationMode: 1}
			require.NoError(t, enc.Init())
			type sent struct {
				pkt     *rtp.Packet
				picture int
				last    bool
				dropped bool
			}
			var stream []*sent
			var pictures [][]byte
			lossRate := []float64{0, 0.002, 0.02, 0.2}[r.IntN(4)]
			inBand := r.IntN(2) == 0
			marker := r.IntN(4) != 0 // FLIR M400: never sets it
			lost := 0
			for pic := range 60 {
				var nalus [][]byte
				header := byte(0x41)
				if pic%10 == 0 {
					header = 0x65
					if inBand {
						nalus = append(nalus, testSPS, testPPS)
					}
				}
				for s := range 1 + r.IntN(3) {
					nalus = append(nalus, noise(r, header, s == 0, 2+r.IntN(1500)))
				}
				pictures = append(pictures, annexB(nalus...))
				pkts, err := enc.Encode(nalus)
				require.NoError(t, err)
				for i, p := range pkts {
					p.Timestamp = uint32(pic*3000) - 9000 // wraps
					p.Marker = p.Marker && marker
					drop := r.Float64() < lossRate
					if drop {
						lost++
					}
					stream = append(stream, &sent{p, pic, i == len(pkts)-1, drop})
				}
			}
			prefix := annexB(testSPS, testPPS)
			var units []transport.CameraUnit
			a := New(transport.H264, ParameterSets{{testSPS}, {testPPS}}, slog.New(slog.DiscardHandler), func(u transport.CameraUnit) { units = append(units, u) })
			now := time.Unix(1000, 0)
			for _, s := range stream {
				if !s.dropped {
					require.NoError(t, a.Push(s.pkt, now))
				}
			}

			whole := func(from, to int) bool { // pictures from..to
				return !slices.ContainsFunc(stream, func(s *sent) bool { return s.dropped && s.picture >= from && s.picture <= to })
			}
			prev := -1
			for i, u := range units {
				at := slices.IndexFunc(pictures, func(p []byte) bool { return bytes.HasSuffix(p, lastSlice(u.Data)) })
				require.Greater(t, at, prev, "unit %d is of no picture after the one before", i)
				if u.Gap.Kind == transport.GapNone {
					require.True(t, whole(prev+1, at), "unit %d (picture %d) claims that nothing is missing since picture %d", i, at, prev)
				} else if i > 0 {
					require.False(t, whole(prev, at), "unit %d (picture %d): %q without loss since picture %d", i, at, u.Gap.Text, prev)
				}
				if u.Gap.Kind == transport.GapNone || u.Gap.Intact {
					want := pictures[at]
					if at%10 == 0 && !inBand {
						want = slices.Concat(prefix, want)
					}
					require.Equal(t, want, u.Data)
				}
				if prev >= 0 {
					require.Equal(t, int64(at-prev)*3000, u.PTS-units[i-1].PTS)
				}
				prev = at
			}
			if lost == 0 {
				require.GreaterOrEqual(t, len(units), len(pictures)-1)
			}
		})
	}
}

func lastSlice(b []byte) []byte {
	return b[bytes.LastIndex(b, startCode):]
}

func TestLossIsNamed(t *testing.T) {
	whole := []byte{0x65, 0x88, 9, 9}
	fuA := func(flags byte, data ...byte) []byte { return append([]byte{0x7c, flags | typeIDR}, data...) }
	tests := []struct {
		name string
		lost []*rtp.Packet // after sequence number 3, timestamp 3000
		next uint16
		want string
	}{
		{"packet between pictures", nil, 6, "packet loss (2 packets)"},
		{"going back", nil, 3, "packets out of order"},
		{"fragment without end before marker", packets(4, 6000, fuA(fuStart, 0x88, 1)), 5, reasonOpenFragment},
		{"fragment without end before another packet", packets(4, 6000, fuA(fuStart, 0x88, 1), []byte{0x41, 0x9a}), 6, reasonOpenFragment},
		{"fragment started twice", packets(4, 6000, fuA(fuStart, 0x88, 1), fuA(fuStart, 0x88), fuA(fuEnd, 1)), 7, reasonOpenFragment},
		{"fragment without start", packets(4, 6000, fuA(fuEnd, 1)), 5, "fragment without start"},
		{"fragments mixed", packets(4, 6000, fuA(fuStart, 0x88), []byte{0x7c, fuEnd | typeSlice, 1}), 6, "fragments of different NAL units"},
		{"fragment of one byte", packets(4, 6000, []byte{0x7c}), 5, "truncated fragment"},
		{"aggregate cut short", packets(4, 6000, []byte{0x78, 0, 9, 0x41, 0x9a}), 5, "truncated aggregate"},
		{"empty aggregate", packets(4, 6000, []byte{0x78}), 5, "empty aggregate"},
		{"aggregate of aggregates", packets(4, 6000, []byte{0x78, 0, 2, 0x78, 1}), 5, "aggregate of unknown packets"},
		{"damaged NAL unit", packets(4, 6000, []byte{0xe5, 0x88, 1}), 5, "NAL unit marked as damaged"},
		{"slice without data", packets(4, 6000, []byte{0x65}), 5, "truncated slice"},
		{"interleaved mode", packets(4, 6000, []byte{25, 0, 0, 0, 2, 0x65, 0x88}), 5, "interleaved packet type 25"},
		{"undefined packet type", packets(4, 6000, []byte{31, 0, 0}), 5, "unknown packet type 31"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := started(t)
			require.Empty(t, feed(t, a, tt.lost...), "a damaged picture was delivered")
			units := feed(t, a, packets(tt.next, 9000, whole)...)
			units = append(units, feedAll(t, a, packets(tt.next+1, 12000, []byte{0x41, 0x9a, 1})...)...)
			require.Len(t, units, 2)
			require.Equal(t, tt.want, units[0].Gap.Text)
			require.Empty(t, units[1].Gap.Kind, "told twice")
		})
	}
}

func TestDroppedPacketSpoilsThePictureAroundIt(t *testing.T) {
	a := started(t)
	pkts := packets(4, 6000, []byte{0x41, 0x9a, 1}, []byte{0x41, 0x1a, 2})
	require.Empty(t, feed(t, a, pkts[0]))
	a.Lose("undecodable packet") // gortsplib dropped one
	require.Empty(t, feed(t, a, pkts[1]))
	units := feedAll(t, a, packets(6, 9000, []byte{0x41, 0x9a})...)
	require.Len(t, units, 1)
	require.Equal(t, "undecodable packet", units[0].Gap.Text)
	require.True(t, units[0].Gap.Intact)
}

func TestIntactNeedsAProvenBeginning(t *testing.T) {
	idr, aud, sei := []byte{0x65, 0x88, 1}, []byte{0x09, 0xf0}, []byte{0x06, 5, 1, 0x80}
	tests := []struct {
		name  string
		nalus [][]byte
		want  bool
	}{
		{"SPS, PPS and IDR", [][]byte{testSPS, testPPS, idr}, true},
		{"SEI first", [][]byte{sei, testSPS, testPPS, idr}, true},
		{"delimiter first", [][]byte{aud, idr}, true},
		{"IDR alone: a new SPS may be lost", [][]byte{idr}, false},
		{"PPS and IDR", [][]byte{testPPS, idr}, false},
		{"P alone", [][]byte{{0x41, 0x9a, 1}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			units := feedAll(t, started(t), packets(50, 6000, tt.nalus...)...)
			require.Len(t, units, 1)
			require.Equal(t, "packet loss (46 packets)", units[0].Gap.Text)
			require.Equal(t, tt.want, units[0].Gap.Intact)
		})
	}
	require.Empty(t, feedAll(t, started(t), packets(50, 6000, []byte{0x65, 0x11, 1})...), "a picture without its first slice was delivered")
}

func TestParameterSetsComeBeforeAnIDRThatLacksThem(t *testing.T) {
	idr, aud, newSPS := []byte{0x65, 0x88, 1}, []byte{0x09, 0xf0}, append(slices.Clone(testSPS), 7)
	a := New(transport.H264, ParameterSets{{testSPS}, {testPPS}}, slog.New(slog.DiscardHandler), nil)
	one := func(seq uint16, nalus ...[]byte) []byte {
		units := feedAll(t, a, packets(seq, uint32(seq)*3000, nalus...)...)
		require.Len(t, units, 1)
		return units[0].Data
	}
	require.Equal(t, annexB(testSPS, testPPS, idr), one(0, idr))
	require.Equal(t, annexB(aud, testSPS, testPPS, idr), one(1, aud, idr), "the delimiter stays first")
	require.Equal(t, annexB([]byte{0x41, 0x9a}), one(3, []byte{0x41, 0x9a}), "only before an IDR")
	require.Equal(t, annexB(newSPS, testPPS, idr), one(4, newSPS, testPPS, idr), "in-band sets are left alone")
	require.Equal(t, annexB(newSPS, testPPS, idr), one(7, idr), "in-band sets are newer than the description's")
}

func TestStartCodesInsideRTPAreSplit(t *testing.T) {
	idr := []byte{0x65, 0x88, 1, 2, 3}
	stream := annexB(testSPS, testPPS, idr)
	cut := len(stream) / 2
	tests := map[string][][]byte{
		"in one packet, with start code": {stream},
		"in one packet, without the first": {
			stream[4:],
		},
		"in fragments": {
			append([]byte{0x7c, fuStart | typeSPS}, stream[5:cut]...),
			append([]byte{0x7c, fuEnd | typeSPS}, stream[cut:]...),
		},
	}
	for name, payloads := range tests {
		t.Run(name, func(t *testing.T) {
			a := started(t)
			a.sets = ParameterSets{}
			units := feedAll(t, a, packets(4, 6000, payloads...)...)
			require.Len(t, units, 1)
			require.Equal(t, [][]byte{testSPS, testPPS, idr}, slices.Collect(nalus(units[0].Data)))
			require.Equal(t, [][]byte{testSPS}, a.sets[0], "the sets inside were not seen")
		})
	}
}

func TestParameterSetsUnderMarkersOfTheirOwnBelongToTheNextPicture(t *testing.T) {
	a := started(t)
	idr := []byte{0x65, 0x88, 1}
	pkts := slices.Concat(packets(4, 5999, testSPS), packets(5, 5999, testPPS), packets(6, 6000, idr))
	units := feedAll(t, a, pkts...)
	require.Len(t, units, 1)
	require.Equal(t, annexB(testSPS, testPPS, idr), units[0].Data)
	require.Empty(t, units[0].Gap.Kind)
}

func TestMarkerOnEverySliceIsFoundOut(t *testing.T) {
	picture := func(seq uint16, ts uint32, header byte) []*rtp.Packet {
		return slices.Concat(
			packets(seq, ts, []byte{header, 0x88, 1}), packets(seq+1, ts, []byte{header, 0x08, 2}), packets(seq+2, ts, []byte{header, 0x04, 3}))
	}
	t.Run("before anything is delivered", func(t *testing.T) {
		a := testAssembler()
		units := feed(t, a, slices.Concat(picture(0, 0, 0x65), picture(3, 3000, 0x41), picture(6, 6000, 0x41))...)
		require.Len(t, units, 2)
		require.Equal(t, annexB([]byte{0x65, 0x88, 1}, []byte{0x65, 0x08, 2}, []byte{0x65, 0x04, 3}), units[0].Data)
		require.Empty(t, units[1].Gap.Kind)
	})
	t.Run("later", func(t *testing.T) {
		a := started(t)
		units := feed(t, a, slices.Concat(picture(4, 6000, 0x41), picture(7, 9000, 0x41), picture(10, 12000, 0x41))...)
		require.Len(t, units, 2)
		require.Equal(t, reasonMarker, units[1].Gap.Text)
		require.Equal(t, annexB([]byte{0x41, 0x88, 1}, []byte{0x41, 0x08, 2}, []byte{0x41, 0x04, 3}), units[1].Data)
	})
}

func TestPaddingIsNoLoss(t *testing.T) {
	a := started(t)
	units := feed(t, a, packets(4, 6000, nil, []byte{0x41, 0x9a}, nil)...)
	require.Len(t, units, 1)
	require.Empty(t, units[0].Gap.Kind)
}

func TestTimestampJumpIsAGap(t *testing.T) {
	p := []byte{0x41, 0x9a}
	for _, tt := range []struct {
		step int64
		want string
	}{
		{3000, ""}, {-6000, ""}, {5 * transport.ClockRate, ""},
		{6 * transport.ClockRate, "timestamp jump of 6s"}, {-6 * transport.ClockRate, "timestamp jump of -6s"},
	} {
		a := started(t)
		before := a.pts
		units := feed(t, a, packets(4, uint32(3000+tt.step), p)...)
		require.Len(t, units, 1)
		require.Equal(t, tt.want, units[0].Gap.Text)
		require.Equal(t, before+tt.step, units[0].PTS)
	}
}

func TestNewSSRCIsAGap(t *testing.T) {
	a := started(t)
	p := packets(4, 6000, []byte{0x41, 0x9a})
	p[0].SSRC = 8
	units := feedAll(t, a, p...)
	require.Len(t, units, 1)
	require.Equal(t, ReasonNewSSRC, units[0].Gap.Text)
}

func TestPicturesAreBounded(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		a, seq := started(t), uint16(4)
		big := append([]byte{0x41, 0x9a}, bytes.Repeat([]byte{9}, 60000)...)
		for range transport.MaxUnitBytes/len(big) + 2 {
			p := packets(seq, 6000, big)
			p[0].Marker = false
			require.Empty(t, feed(t, a, p...))
			seq++
		}
		require.LessOrEqual(t, len(a.buf), transport.MaxUnitBytes)
		units := feedAll(t, a, packets(seq, 9000, []byte{0x41, 0x9a})...)
		require.Len(t, units, 1)
		require.Equal(t, reasonTooLarge, units[0].Gap.Text)
	})
	t.Run("NAL units", func(t *testing.T) {
		a := started(t)
		var many [][]byte
		for range maxUnitNALUs + 1 {
			many = append(many, []byte{0x41, 0x9a})
		}
		require.Empty(t, feedAll(t, a, packets(4, 6000, many...)...))
	})
	t.Run("packets", func(t *testing.T) { // fragments with nothing in them
		a, seq := started(t), uint16(4)
		empty := packets(0, 6000, []byte{0x7c, fuStart | typeSlice}, []byte{0x7c, typeSlice})
		var err error
		n := 0
		for ; err == nil && n < maxUnitPackets+1; n++ {
			p := *empty[min(n, 1)]
			p.Marker, p.SequenceNumber = false, seq
			err = a.Push(&p, time.Unix(1000, 0))
			seq++
		}
		require.ErrorIs(t, err, ErrNoPicture)
		require.Equal(t, maxUnitPackets, n)
	})
	t.Run("time", func(t *testing.T) {
		a := started(t)
		p := packets(4, 6000, []byte{0x7c, fuStart | typeSlice}, []byte{0x7c, typeSlice}, nil)
		require.NoError(t, a.Push(p[0], time.Unix(1000, 0)))
		require.NoError(t, a.Push(p[1], time.Unix(1003, 0)))
		require.ErrorIs(t, a.Push(p[2], time.Unix(1003, 1)), ErrNoPicture)
	})
}

// FuzzAssembler pushes what no camera would send. Whatever comes out is bounded,
// splits into NAL units, and says that something is missing where it is.
func FuzzAssembler(f *testing.F) {
	add := func(pkts ...*rtp.Packet) {
		var b []byte
		for _, p := range pkts {
			flags := byte(1) // in sequence
			if p.Marker {
				flags |= 2
			}
			b = append(b, flags, 0, byte(len(p.Payload)))
			b = append(b, p.Payload...)
		}
		f.Add(b)
	}
	add(packets(0, 0, testSPS, testPPS, []byte{0x65, 0x88, 1, 2})...)
	add(packets(0, 0, []byte{0x7c, 0x85, 0x88, 1}, []byte{0x7c, 0x05, 2}, []byte{0x7c, 0x45, 3})...)
	add(packets(0, 0, []byte{0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1, 0, 3, 0x65, 0x88, 1})...)
	add(packets(0, 0, annexB(testSPS, testPPS, []byte{0x65, 0x88}))...)
	f.Fuzz(func(t *testing.T, in []byte) {
		a := testAssembler()
		gaps := 0
		a.emit = func(u transport.CameraUnit) {
			require.LessOrEqual(t, len(u.Data), transport.MaxUnitBytes)
			n := slices.Collect(nalus(u.Data))
			require.NotEmpty(t, n)
			require.True(t, slices.ContainsFunc(n, func(n []byte) bool {
				return naluType(n[0]) >= typeSlice && naluType(n[0]) <= typeIDR
			}), "a unit without a picture")
			if gaps > 0 {
				require.NotEmpty(t, u.Gap.Kind)
			}
			gaps = 0
		}
		seq, ts := uint16(65530), uint32(0)
		for len(in) >= 3 {
			flags, step, n := in[0], in[1], min(int(in[2]), len(in)-3)
			if flags&1 == 0 {
				seq += 1 + uint16(flags>>4)
				gaps++
			}
			ts += uint32(step)
			p := &rtp.Packet{Header: rtp.Header{SSRC: 1, SequenceNumber: seq, Timestamp: ts, Marker: flags&2 != 0}, Payload: in[3 : 3+n]}
			if a.Push(p, time.Unix(1000, 0)) != nil {
				return
			}
			seq++
			in = in[3+n:]
		}
	})
}

func BenchmarkAssembler(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	enc := rtph264.Encoder{PayloadType: 96, PacketizationMode: 1}
	require.NoError(b, enc.Init())
	pkts, err := enc.Encode([][]byte{noise(r, 0x41, true, 40_000)})
	require.NoError(b, err)
	a, seq, ts := testAssembler(), uint16(0), uint32(0)
	now := time.Unix(1000, 0)
	b.SetBytes(40_000)
	b.ReportAllocs()
	for b.Loop() {
		ts += 3000
		for _, p := range pkts {
			p.SequenceNumber, p.Timestamp = seq, ts
			seq++
			if err := a.Push(p, now); err != nil {
				b.Fatal(err)
			}
		}
	}
}
