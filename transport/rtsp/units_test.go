package rtsp

import "github.com/pion/rtp"

// What the cameras of these tests send.
var (
	testSPS = []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84}
	testPPS = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
	// testSets265 are VPS, SPS and PPS, as far as they are read.
	testSets265 = [][]byte{{0x40, 1, 0x0c, 1}, {0x42, 1, 1, 1, 0x60}, {0x44, 1, 0xc1, 0x72}}
)

func annexB(nalus ...[]byte) []byte {
	var b []byte
	for _, n := range nalus {
		b = append(append(b, 0, 0, 0, 1), n...)
	}
	return b
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
