package depacketize

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// sliceOf is a slice of size bytes, of an IDR picture if idr.
func sliceOf(r *rand.Rand, idr, first bool, size int) []byte {
	header := byte(0x41)
	if idr {
		header = 0x65
	}
	return noise(r, header, first, size)
}

// markedCamera sends pictures with a marker on every slice, as cameras do that
// know of slices and not of pictures.
type markedCamera struct {
	r    *rand.Rand
	a    *Assembler
	seq  uint16
	ts   uint32
	sent [][]byte
}

// picture sends one; it returns what came out while it was being sent.
func (c *markedCamera) picture(t testing.TB, nalus ...[]byte) []transport.CameraUnit {
	t.Helper()
	var pkts []*rtp.Packet
	for _, n := range nalus {
		for rest := n; len(rest) > 0; { // RFC 6184, section 5.8
			p := rest[:min(len(rest), 1200)]
			rest = rest[len(p):]
			if len(p) < len(n) {
				flags := naluType(n[0])
				if len(p)+len(rest) == len(n) {
					flags, p = flags|fuStart, p[1:]
				}
				if len(rest) == 0 {
					flags |= fuEnd
				}
				p = append([]byte{n[0]&0x60 | typeFUA, flags}, p...)
			}
			pkt := packets(c.seq, c.ts, p)[0]
			pkt.Marker = len(rest) == 0 && naluType(n[0]) <= typeIDR
			pkts = append(pkts, pkt)
			c.seq++
		}
	}
	c.ts += 3000
	c.sent = append(c.sent, annexB(nalus...))
	return feed(t, c.a, pkts...)
}

func newMarkedCamera(seed uint64) *markedCamera {
	return &markedCamera{r: rand.New(rand.NewPCG(seed, 2)), a: testAssembler()}
}

func (c *markedCamera) slice(idr, first bool, size int) []byte { return sliceOf(c.r, idr, first, size) }

// proven returns the units that may be shown: a provisional one is
// not when the next is not known to follow it.
func proven(units []transport.CameraUnit) (shown []transport.CameraUnit) {
	for i, u := range units {
		if !u.Provisional || i+1 < len(units) && units[i+1].Gap.Kind == transport.GapNone {
			shown = append(shown, u)
		}
	}
	return shown
}

// requireWhole requires that every unit is one of the pictures that were sent,
// with parameter sets before it perhaps.
func (c *markedCamera) requireWhole(t testing.TB, units []transport.CameraUnit) {
	t.Helper()
	for i, u := range proven(units) {
		require.True(t, slices.ContainsFunc(c.sent, func(p []byte) bool { return bytes.HasSuffix(u.Data, p) }),
			"unit %d of %d bytes, %q, is a part of a picture", i, len(u.Data), u.Gap.Text)
	}
}

func TestOneSlicePicturesComeOutAtTheirMarker(t *testing.T) {
	c := newMarkedCamera(1)
	require.Empty(t, c.picture(t, testSPS, testPPS, c.slice(true, true, 9000)), "a key frame waits for what follows")
	require.Len(t, c.picture(t, c.slice(false, true, 3000)), 2, "the key frame, and a picture that has not waited")
	for i := range 20 {
		units := c.picture(t, c.slice(false, true, 7000-300*i))
		require.Len(t, units, 1)
		require.Equal(t, c.sent[len(c.sent)-1], units[0].Data, "a picture has waited")
	}
	for range keyProofs - 1 {
		require.Empty(t, c.picture(t, c.slice(true, true, 5000)), "a key frame waits for what follows")
		require.Len(t, c.picture(t, c.slice(false, true, 3000)), 2)
	}
	for range 3 {
		key := c.picture(t, c.slice(true, true, 5000))
		require.Len(t, key, 1, "it is cut like those before")
		require.True(t, key[0].Provisional)
		next := c.picture(t, c.slice(false, true, 3000))
		require.Len(t, next, 1)
		require.False(t, next[0].Provisional)
		require.Empty(t, next[0].Gap.Kind, "which proves the key frame")
	}
}

// A loss right behind a key frame that only its marker ends proves nothing.
func TestLossBehindAProvisionalKeyFrameLeavesItSo(t *testing.T) {
	c := newMarkedCamera(1)
	for range keyProofs {
		c.picture(t, c.slice(true, true, 9000))
		c.picture(t, c.slice(false, true, 3000))
	}
	units := c.picture(t, c.slice(true, true, 5000))
	c.seq++
	units = append(units, c.picture(t, c.slice(false, true, 3000))...)
	units = append(units, c.picture(t, c.slice(false, true, 1000))...)
	require.Len(t, units, 3)
	require.True(t, units[0].Provisional)
	require.True(t, units[1].Gap.Text == "packet loss (1 packets)")
	require.Len(t, proven(units), 2)
	for _, u := range c.picture(t, c.slice(true, true, 5000)) {
		require.False(t, u.Provisional, "key frames must be proven again")
	}
}

func TestPicturesOfSeveralSlicesComeOutAtTheirMarker(t *testing.T) {
	a, r := testAssembler(), rand.New(rand.NewPCG(1, 1))
	two := func(seq uint16, idr bool, size int) []*rtp.Packet {
		return packets(seq, uint32(seq)*1500, sliceOf(r, idr, true, size), sliceOf(r, idr, false, size))
	}
	require.Empty(t, feed(t, a, two(0, true, 2000)...))
	require.Len(t, feed(t, a, two(2, false, 900)...), 2)
	require.Len(t, feed(t, a, two(4, false, 1000)...), 1)
}

// TestMarkerThatBecomesALieDeliversNoPart has cameras whose marker ended every
// picture as long as a picture was one slice.
func TestMarkerThatBecomesALieDeliversNoPart(t *testing.T) {
	for name, lie := range map[string]func(*markedCamera) [][]byte{
		"slices of a bounded size, at a busy picture": func(c *markedCamera) [][]byte {
			return [][]byte{c.slice(false, true, 7900), c.slice(false, false, 2000)}
		},
		"a key frame in more slices": func(c *markedCamera) [][]byte {
			return [][]byte{c.slice(true, true, 3000), c.slice(true, false, 3000)}
		},
		"new parameter sets and more slices": func(c *markedCamera) [][]byte {
			return [][]byte{testSPS, testPPS, c.slice(true, true, 100), c.slice(true, false, 100)}
		},
		"new parameter sets without a key frame": func(c *markedCamera) [][]byte {
			return [][]byte{testPPS, c.slice(false, true, 100), c.slice(false, false, 100)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newMarkedCamera(3)
			units := c.picture(t, testSPS, testPPS, c.slice(true, true, 7500))
			units = append(units, c.picture(t, c.slice(false, true, 3000))...)
			units = append(units, c.picture(t, c.slice(false, true, 3000))...)
			require.Len(t, units, 3, "the marker is trusted")
			for range 3 {
				units = append(units, c.picture(t, lie(c)...)...)
			}
			units = append(units, c.picture(t, c.slice(false, true, 100))...)
			require.Len(t, units, 6)
			c.requireWhole(t, units)
			for _, u := range units[1:] {
				require.Empty(t, u.Gap.Kind, "nothing was lost")
			}
		})
	}
}

func TestMarkerAtAnotherNumberOfSlicesWaits(t *testing.T) {
	a, r := testAssembler(), rand.New(rand.NewPCG(1, 1))
	seq := uint16(0)
	send := func(idr bool, n int) int {
		var p [][]byte
		for i := range n {
			p = append(p, sliceOf(r, idr, i == 0, 3000/n))
		}
		if idr {
			p = append(p, sliceOf(r, true, false, 8000))
		}
		seq += 100
		a.nextSeq = seq
		return len(feed(t, a, packets(seq, uint32(seq)*30, p...)...))
	}
	require.Equal(t, 0, send(true, 2)) // 3 slices
	require.Equal(t, 2, send(false, 3))
	require.Equal(t, 0, send(false, 2), "fewer slices")
	require.Equal(t, 1, send(false, 3), "the one before; their number varies")
	require.Equal(t, 1, send(false, 3), "the one before")
}

func TestMarkerIsProvenAnewAfterALoss(t *testing.T) {
	c := newMarkedCamera(5)
	c.picture(t, c.slice(true, true, 9000))
	require.Len(t, c.picture(t, c.slice(false, true, 3000)), 2)
	c.seq++ // the loss may have been a key frame of more slices
	require.Empty(t, c.picture(t, c.slice(false, true, 3000)))
	units := c.picture(t, c.slice(false, true, 1000))
	require.Len(t, units, 2)
	require.Equal(t, "packet loss (1 packets)", units[0].Gap.Text)
	require.Empty(t, units[1].Gap.Kind)
}

// TestLyingMarkersNeverDeliverAPart is the same as a property, over cameras
// that bound the slices' size, or change their number at key frames.
func TestLyingMarkersNeverDeliverAPart(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := newMarkedCamera(seed)
			c.a = New(transport.H264, ParameterSets{}, slog.New(slog.DiscardHandler), nil)
			limit, parts := 2000+c.r.IntN(10_000), 0
			var units []transport.CameraUnit
			for pic := range 80 {
				idr := pic%12 == 0
				if idr && c.r.IntN(4) == 0 {
					limit, parts = 2000+c.r.IntN(10_000), c.r.IntN(4)
				}
				size := 100 + c.r.IntN(5000)
				if idr {
					size += c.r.IntN(8000)
				}
				var nalus [][]byte
				for rest := size; rest > 0; {
					n := rest
					switch {
					case parts > 0:
						n = min(rest, size/parts+1)
					case rest > limit: // the macroblock that no longer fits is left out
						n = limit - c.r.IntN(h264.block)
					}
					rest -= n
					nalus = append(nalus, c.slice(idr, len(nalus) == 0, max(n, 3)))
				}
				units = append(units, c.picture(t, nalus...)...)
			}
			c.requireWhole(t, units)
			require.Equal(t, "connected", units[0].Gap.Text)
			lies := 0
			for _, u := range units[1:] {
				if u.Gap.Kind != transport.GapNone {
					require.Equal(t, reasonMarker, u.Gap.Text)
					lies++
				}
			}
			require.LessOrEqual(t, lies, 1, "it is believed once")
			require.GreaterOrEqual(t, len(units), 79-lies)
		})
	}
}

// TestMarkerLieWithoutAnySignIsNamed has the one lie that shows only afterwards:
// more and smaller slices with no key frame, parameter set or loss before them.
func TestMarkerLieWithoutAnySignIsNamed(t *testing.T) {
	c := newMarkedCamera(7)
	c.picture(t, c.slice(true, true, 9000))
	c.picture(t, c.slice(false, true, 3000))
	require.Len(t, c.picture(t, c.slice(false, true, 1000), c.slice(false, false, 1000)), 1)
	var units []transport.CameraUnit
	for range 4 {
		units = append(units, c.picture(t, c.slice(false, true, 1000), c.slice(false, false, 1000))...)
	}
	c.requireWhole(t, units)
	require.Len(t, units, 3)
	require.Equal(t, reasonMarker, units[0].Gap.Text)
}

// A message between the slices does not hide that the second goes on with the
// first.
func TestMarkerLieIsFoundBehindOtherNALUnits(t *testing.T) {
	c := newMarkedCamera(7)
	c.picture(t, c.slice(true, true, 9000))
	c.picture(t, c.slice(false, true, 3000))
	sei := []byte{0x06, 5, 1, 7, 0x80}
	require.Len(t, c.picture(t, c.slice(false, true, 1000), sei, c.slice(false, false, 1000)), 1)
	var units []transport.CameraUnit
	for range 3 {
		units = append(units, c.picture(t, c.slice(false, true, 1000), sei, c.slice(false, false, 1000))...)
	}
	c.requireWhole(t, units)
	require.NotEmpty(t, units)
	require.Equal(t, reasonMarker, units[0].Gap.Text)
}
