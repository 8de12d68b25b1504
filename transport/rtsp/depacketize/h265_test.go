package depacketize

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// testSets265 are VPS, SPS and PPS, as far as this package looks at them.
var testSets265 = [][]byte{{0x40, 1, 0x0c, 1}, {0x42, 1, 1, 1, 0x60}, {0x44, 1, 0xc1, 0x72}}

const (
	trailR = 1
	idrW   = 19
	cra    = 21
)

// slice265 is a slice of noise.
func slice265(r *rand.Rand, typ byte, first bool, size int) []byte {
	b := noise(r, 0, false, size+3)
	b[0], b[1], b[2] = typ<<1, 1, b[2]&^firstSliceBit
	if first {
		b[2] |= firstSliceBit
	}
	return b
}

func assembler265(sets ...[]byte) *Assembler {
	var s ParameterSets
	for i, set := range sets {
		s[i] = [][]byte{set}
	}
	return New(transport.H265, s, slog.New(slog.DiscardHandler), func(transport.CameraUnit) {})
}

// TestH265UnitWithoutGapMeansNothingWasLost is the test of H.264 for H.265.
func TestH265UnitWithoutGapMeansNothingWasLost(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			enc := rtph265.Encoder{PayloadType: 96, PayloadMaxSize: 100 + r.IntN(400)}
			require.NoError(t, enc.Init())
			lossRate := []float64{0, 0.002, 0.02, 0.2}[r.IntN(4)]
			inBand, marker := r.IntN(2) == 0, r.IntN(4) != 0
			var units []transport.CameraUnit
			a := assembler265(testSets265...)
			a.emit = func(u transport.CameraUnit) { units = append(units, u) }
			var pictures [][]byte
			var lost []bool // of each picture, whether a packet of it was
			for pic := range 60 {
				var nalus [][]byte
				typ := byte(trailR)
				if pic%10 == 0 {
					typ = []byte{idrW, cra}[r.IntN(2)]
					if inBand {
						nalus = append(nalus, testSets265...)
					}
				}
				for s := range 1 + r.IntN(3) {
					nalus = append(nalus, slice265(r, typ, s == 0, 2+r.IntN(1500)))
				}
				pkts, err := enc.Encode(nalus)
				require.NoError(t, err)
				if pic%10 == 0 && !inBand {
					nalus = slices.Concat(testSets265, nalus)
				}
				pictures, lost = append(pictures, annexB(nalus...)), append(lost, false)
				for _, p := range pkts {
					p.Timestamp = uint32(pic*3000) - 9000 //nolint:gosec // wraps by design
					p.Marker = p.Marker && marker
					if r.Float64() < lossRate {
						lost[pic] = true
						continue
					}
					require.NoError(t, a.Push(p, time.Unix(1000, 0)))
				}
			}
			prev := -1
			for i, u := range units {
				at := slices.IndexFunc(pictures, func(p []byte) bool { return bytes.HasSuffix(p, lastSlice(u.Data)) })
				require.Greater(t, at, prev, "unit %d is of no picture after the one before", i)
				require.Equal(t, transport.H265, u.Codec)
				if u.Gap.Kind == transport.GapNone {
					require.NotContains(t, lost[prev+1:at+1], true, "unit %d (picture %d) claims that nothing is missing", i, at)
				} else if i > 0 {
					require.Contains(t, lost[prev:at+1], true, "unit %d: %q without loss", i, u.Gap.Text)
				}
				if u.Gap.Kind == transport.GapNone || u.Gap.Intact {
					require.Equal(t, pictures[at], u.Data)
				}
				prev = at
			}
			if !slices.Contains(lost, true) {
				require.GreaterOrEqual(t, len(units), len(pictures)-1)
			}
		})
	}
}

func TestH265LossIsNamed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	p := slice265(r, trailR, true, 40)
	fu := func(flags, typ byte, data ...byte) []byte {
		return append([]byte{h265FU << 1, 1, flags | typ}, data...)
	}
	for _, tt := range []struct {
		name string
		lost []*rtp.Packet // after sequence number 4, timestamp 3000
		next uint16
		want string
	}{
		{"packet between pictures", nil, 7, "packet loss (2 packets)"},
		{"fragment without end", packets(5, 6000, fu(fuStart, trailR, 0x80, 1)), 6, reasonOpenFragment},
		{"fragment without end before another unit", packets(5, 6000, fu(fuStart, trailR, 0x80, 1), p), 7, reasonOpenFragment},
		{"fragment without start", packets(5, 6000, fu(fuEnd, trailR, 1)), 6, "fragment without start"},
		{"fragments mixed", packets(5, 6000, fu(fuStart, trailR, 0x80), fu(fuEnd, idrW, 1)), 7, "fragments of different NAL units"},
		{"fragment of two bytes", packets(5, 6000, []byte{h265FU << 1, 1}), 6, "truncated fragment"},
		{"packet of a byte", packets(5, 6000, []byte{trailR << 1}), 6, "truncated packet"},
		{"aggregate cut short", packets(5, 6000, []byte{h265AP << 1, 1, 0, 9, 2, 1}), 6, "truncated aggregate"},
		{"aggregate of aggregates", packets(5, 6000, []byte{h265AP << 1, 1, 0, 2, h265AP << 1, 1}), 6, "aggregate of unknown packets"},
		{"damaged NAL unit", packets(5, 6000, []byte{0x82, 1, 0x80}), 6, "NAL unit marked as damaged"},
		{"slice without data", packets(5, 6000, []byte{trailR << 1, 1}), 6, "truncated slice"},
		{"PACI", packets(5, 6000, []byte{50 << 1, 1, 0, 0}), 6, "unknown packet type 50"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := assembler265()
			idr := slice265(r, idrW, true, 4*h265.block)
			require.Len(t, feed(t, a, packets(0, 0, append(slices.Clone(testSets265), idr)...)...), 0)
			require.Len(t, feed(t, a, packets(4, 3000, p)...), 2)
			require.Empty(t, feed(t, a, tt.lost...), "a damaged picture was delivered")
			key := slice265(r, cra, true, 40)
			units := feed(t, a, packets(tt.next, 9000, key)...)
			units = append(units, feedAll(t, a, packets(tt.next+1, 12000, p)...)...)
			require.Len(t, units, 2)
			require.Equal(t, tt.want, units[0].Gap.Text)
			require.Equal(t, annexB(append(slices.Clone(testSets265), key)...), units[0].Data)
			require.Empty(t, units[1].Gap.Kind, "told twice")
		})
	}
}

func TestH265IntactNeedsAProvenBeginning(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	key, aud := slice265(r, cra, true, 9), []byte{h265AUD << 1, 1, 0x50}
	for _, tt := range []struct {
		name  string
		nalus [][]byte
		want  bool
	}{
		{"all sets and a key frame", append(slices.Clone(testSets265), key), true},
		{"delimiter first", [][]byte{aud, key}, true},
		{"SPS and PPS alone", [][]byte{testSets265[1], testSets265[2], key}, false},
		{"key frame alone", [][]byte{key}, false},
	} {
		a := assembler265(testSets265...)
		feedAll(t, a, packets(0, 0, append(slices.Clone(testSets265), key)...)...)
		units := feedAll(t, a, packets(50, 6000, tt.nalus...)...)
		require.Len(t, units, 1, tt.name)
		require.Equal(t, tt.want, units[0].Gap.Intact, tt.name)
	}
	a := assembler265()
	require.Empty(t, feedAll(t, a, packets(50, 6000, slice265(r, cra, false, 9))...), "a picture without its first slice was delivered")
}

func TestH265AggregatesAndMarkersWithinPicturesAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	picture := [][]byte{slice265(r, idrW, true, 30), slice265(r, idrW, false, 30), slice265(r, idrW, false, 30)}
	aggregate := []byte{h265AP << 1, 1}
	for _, n := range testSets265 {
		aggregate = append(append(aggregate, 0, byte(len(n))), n...)
	}
	a := assembler265()
	pkts := packets(0, 0, aggregate)
	for i, s := range picture { // a marker on each slice
		pkts = append(pkts, packets(uint16(1+i), 0, s)...) //nolint:gosec // small
	}
	next := packets(4, 3000, slice265(r, trailR, true, 30))
	units := feed(t, a, append(pkts, next...)...)
	require.Len(t, units, 1)
	require.Equal(t, annexB(append(slices.Clone(testSets265), picture...)...), units[0].Data)
	require.True(t, a.marker.lies)
}

func FuzzH265Payloads(f *testing.F) {
	f.Add([]byte{h265FU << 1, 1, fuStart | idrW, 0x80, 1}, []byte{h265FU << 1, 1, fuEnd | idrW, 7})
	f.Add([]byte{h265AP << 1, 1, 0, 4, 0x40, 1, 0x0c, 1}, []byte{idrW << 1, 1, 0x80, 3})
	f.Add([]byte{0, 0, 0, 1, 0x42, 1, 1, 0, 0, 1, 0x44, 1, 9}, []byte{cra << 1, 1, 0x80, 3})
	f.Fuzz(fuzzPayloads(transport.H265))
}

// fuzzPayloads pushes pictures of two packets each.
func fuzzPayloads(codec transport.Codec) func(t *testing.T, one, two []byte) {
	return func(t *testing.T, one, two []byte) {
		a := New(codec, ParameterSets{}, slog.New(slog.DiscardHandler), func(u transport.CameraUnit) {
			require.NotEmpty(t, u.Data)
			require.LessOrEqual(t, len(u.Data), transport.MaxUnitBytes)
		})
		for i := range uint16(4) {
			for _, p := range packets(2*i, uint32(i)*3000, one, two) {
				require.NoError(t, a.Push(p, time.Unix(1000, 0)))
			}
		}
	}
}
