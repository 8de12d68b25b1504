package transporttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
)

// Parameter sets that precede a key frame. No NAL unit here holds a start code.
var (
	sps = []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x01, 0x40, 0x16}
	pps = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

var startCode = []byte{0, 0, 0, 1}

// Unit returns an access unit of at least size bytes that holds its number. It cannot be
// decoded.
func Unit(camera string, n uint64, key bool, size int) *transport.RedactedUnit {
	nal := make([]byte, max(size, 17))
	for i := range nal {
		nal[i] = byte(0x80 | i)
	}
	nal[0] = 0x41
	var data []byte
	if key {
		nal[0] = 0x65
		data = slices.Concat(startCode, sps, startCode, pps)
	}
	for i := range 16 { // one hexadecimal digit each: never zero
		nal[1+i] = fmt.Sprintf("%016x", n)[i]
	}
	return &transport.RedactedUnit{
		Camera: camera, Rendition: transport.MainRendition, Epoch: 1, Seq: n, PTS: int64(n) * 3600,
		Captured: time.Unix(1700000000, 0).Add(time.Duration(n) * 40 * time.Millisecond), Key: key,
		Codec: "avc1.42c01f", Width: 640, Height: 360, State: transport.StateLive,
		Data: slices.Concat(data, startCode, nal),
	}
}

// Number returns the number of an access unit that Unit made.
func Number(t testing.TB, data []byte) (n uint64, key bool) {
	t.Helper()
	for nal := range strings.SplitSeq(string(data), string(startCode)) {
		if len(nal) >= 17 && (nal[0]&0x1f == 1 || nal[0]&0x1f == 5) {
			_, err := fmt.Sscanf(nal[1:17], "%x", &n)
			require.NoError(t, err)
			return n, nal[0]&0x1f == 5
		}
	}
	require.Fail(t, "no picture in access unit", "%x", data[:min(len(data), 40)])
	return 0, false
}
