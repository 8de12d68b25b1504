package depacketize

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// testJPEG is an image of 4:2:0 with the tables of annex K.3.
func testJPEG(t testing.TB, shade uint8) []byte {
	t.Helper()
	im := image.NewYCbCr(image.Rect(0, 0, 160, 120), image.YCbCrSubsampleRatio420)
	for i := range im.Y {
		im.Y[i] = shade + uint8(i*7%64) //nolint:gosec // wraps by design
	}
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, im, &jpeg.Options{Quality: 70}))
	require.Equal(t, color.YCbCrModel, im.ColorModel())
	return b.Bytes()
}

func assemblerJPEG() *Assembler {
	return New(transport.MJPEG, ParameterSets{}, slog.New(slog.DiscardHandler), func(transport.CameraUnit) {})
}

// sendJPEG packs an image; end says whether its end is sent, too.
func sendJPEG(t testing.TB, seq uint16, ts uint32, im []byte, end bool) []*rtp.Packet {
	t.Helper()
	if !end {
		im = bytes.TrimSuffix(im, endOfImage)
	}
	e := rtpmjpeg.Encoder{PayloadMaxSize: 400}
	require.NoError(t, e.Init())
	pkts, err := e.Encode(im)
	require.NoError(t, err)
	require.Greater(t, len(pkts), 3)
	for i, p := range pkts {
		p.SSRC, p.SequenceNumber, p.Timestamp = 7, seq+uint16(i), ts //nolint:gosec // small
	}
	return pkts
}

// scan is the coded data of an image.
func scan(im []byte) []byte {
	_, data, _ := bytes.Cut(im, []byte{0xff, 0xda})
	return data[12:]
}

func TestJPEGIsWholeAtItsEndOrAtTheNextPicture(t *testing.T) {
	one, two := testJPEG(t, 20), testJPEG(t, 90)
	for _, end := range []bool{true, false} {
		a := assemblerJPEG()
		pkts := sendJPEG(t, 0, 0, one, end)
		next := uint16(len(pkts)) //nolint:gosec // small
		units := feed(t, a, pkts...)
		require.Equal(t, end, len(units) == 1, "the end is proof enough, the marker alone is not")
		units = append(units, feed(t, a, sendJPEG(t, next, 3000, two, end)...)...)
		require.Equal(t, scan(one), scan(units[0].Data))
		require.Equal(t, transport.MJPEG, units[0].Codec)
		require.Equal(t, reasonConnected, units[0].Gap.Text)
		require.True(t, units[0].Gap.Intact)
		require.Contains(t, string(units[0].Data), "\xff\xc0\x00\x11\x08\x00\x78\x00\xa0\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01", "4:2:0 of 160×120")
		if end {
			require.Len(t, units, 2)
			require.Empty(t, units[1].Gap.Kind)
		}
	}
}

func TestJPEGThatLacksAFragmentIsNotDelivered(t *testing.T) {
	im := testJPEG(t, 20)
	all := sendJPEG(t, 10, 3000, im, true)
	for i := range all {
		a := assemblerJPEG()
		first := sendJPEG(t, 0, 0, im, true)
		require.Len(t, feed(t, a, first...), 1)
		a.nextSeq = 10
		units := feed(t, a, slices.Delete(slices.Clone(all), i, i+1)...)
		require.Empty(t, units, "without fragment %d", i)
		units = feed(t, a, sendJPEG(t, 10+uint16(len(all)), 6000, im, true)...) //nolint:gosec // small
		require.Len(t, units, 1)
		require.Equal(t, "packet loss (1 packets)", units[0].Gap.Text)
		require.True(t, units[0].Gap.Intact, "each is independent")
	}
}

func TestJPEGHeadersThatAreNotReadAreNamed(t *testing.T) {
	head := func(change func(p []byte)) []byte {
		p := []byte{0, 0, 0, 0, 1, 60, 20, 15, 1, 2, 3, 4, 5, 6, 7, 8}
		change(p)
		return p
	}
	for want, p := range map[string][]byte{
		"truncated packet":                                                  {0, 0, 0, 0, 1, 60, 20},
		"interlaced MJPEG is not supported":                                 head(func(p []byte) { p[0] = 1 }),
		"MJPEG type 2 is not supported":                                     head(func(p []byte) { p[4] = 2 }),
		"MJPEG of over 2040 pixels is not supported":                        head(func(p []byte) { p[6] = 0 }),
		"MJPEG quality 0 is not defined":                                    head(func(p []byte) { p[5] = 0 }),
		"MJPEG quality 101 is not defined":                                  head(func(p []byte) { p[5] = 101 }),
		"empty restart interval":                                            head(func(p []byte) { p[4] = 65; p[8], p[9] = 0, 0 }),
		"quantisation tables are missing":                                   head(func(p []byte) { p[5] = 200; p[10], p[11] = 0, 0 }),
		"quantisation tables of 3 bytes with precision 0 are not supported": head(func(p []byte) { p[5] = 200; p[9], p[10], p[11] = 0, 0, 3 }),
		"fragment without start":                                            head(func(p []byte) { p[3] = 9 }),
	} {
		a := assemblerJPEG()
		a.next = transport.Gap{}
		require.Empty(t, feed(t, a, packets(0, 0, p)...), want)
		require.Equal(t, transport.Gap{Kind: transport.GapLoss, Text: want}, a.next)
	}
}

func TestJPEGTablesOfEarlierPicturesAndRestartIntervalsAreKept(t *testing.T) {
	tables := bytes.Repeat([]byte{9}, 2*jpegTable)
	picture := func(q byte, tables []byte, ts uint32, seq uint16) []byte {
		p := append([]byte{0, 0, 0, 0, 65, q, 20, 15, 0, 4, 0xff, 0xff, 0, 0, 0, byte(len(tables))}, tables...)
		p = append(p, 1, 2, 3, 0xff, 0xd9)
		a := assemblerJPEG()
		a.format.(*jpegFormat).tables = map[byte][]byte{128: bytes.Repeat([]byte{5}, jpegTable)}
		units := feed(t, a, packets(seq, ts, p)...)
		if len(units) == 0 {
			return nil
		}
		return units[0].Data
	}
	data := picture(255, tables, 0, 0)
	require.Contains(t, string(data), "\xff\xdd\x00\x04\x00\x04", "restart interval")
	require.Equal(t, 2, bytes.Count(data, []byte{0xff, 0xdb}))
	data = picture(128, nil, 0, 0)
	require.Equal(t, 1, bytes.Count(data, []byte{0xff, 0xdb}), "one table for all")
	require.Nil(t, picture(255, nil, 0, 0), "they come with each picture")
	require.Nil(t, picture(129, nil, 0, 0))
}

func FuzzJPEGPayloads(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 60, 20, 15, 1, 2, 3}, []byte{0, 0, 0, 3, 1, 60, 20, 15, 4, 0xff, 0xd9})
	f.Add([]byte{0, 0, 0, 0, 65, 255, 20, 15, 0, 4, 0xff, 0xff, 0, 0, 0, 64}, []byte{0, 0, 0, 0, 64, 200})
	f.Fuzz(func(t *testing.T, one, two []byte) { fuzzPayloads(transport.MJPEG)(t, one, two) })
}
