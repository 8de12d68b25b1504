package depacketize

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"scrim/transport"
)

// The main header of RFC 2435, section 3.1, and the optional ones.
const (
	jpegHeaderBytes    = 8
	jpegRestartBytes   = 4 // section 3.1.7
	jpegTablesBytes    = 4 // section 3.1.8, up to the tables
	jpegRestart        = 64
	jpegMaxType        = 127
	jpegMaxComputed    = 100 // the largest Q with computed tables
	jpegTablesWithData = 128 // the smallest Q whose tables are in the stream
	jpegChangingTables = 255 // the Q whose tables are in every picture
	jpegTable          = 64  // bytes of a quantisation table
)

// endOfImage is the marker at the end of a JPEG image (ITU-T T.81, table B.1).
var endOfImage = []byte{0xff, 0xd9}

// jpegFormat is RFC 2435. It restores complete images with headers, except for the
// Huffman tables, which never change. ONVIF's header extensions for other images (over
// 2040 pixels, or with their own Huffman tables) are not supported.
type jpegFormat struct {
	// tables are those that were received, by Q.
	tables map[byte][]byte
}

// jpegFragment is the content of one packet.
type jpegFragment struct {
	offset        int
	typ, q        byte
	width, height int
	restart       int // interval; 0: none
	data          []byte
}

func (f *jpegFormat) codec() transport.Codec { return transport.MJPEG }

// maxBlock implements payloadFormat. JPEG does not divide pictures by size.
func (f *jpegFormat) maxBlock() int { return 1024 }

// continues implements payloadFormat.
func (f *jpegFormat) continues(p []byte) bool {
	return len(p) >= jpegHeaderBytes && (p[1] != 0 || p[2] != 0 || p[3] != 0)
}

// begins implements payloadFormat.
func (f *jpegFormat) begins(p []byte) bool { return len(p) >= jpegHeaderBytes && !f.continues(p) }

// read implements payloadFormat.
func (f *jpegFormat) read(a *Assembler, p []byte) error {
	fr, err := readJPEGFragment(p)
	if err != nil {
		return err
	}
	c := &a.content
	if fr.offset != c.sliceBytes {
		return errors.New("fragment without start")
	}
	if fr.offset == 0 && c.slices > 0 {
		return errors.New("picture started twice")
	}
	if fr.offset == 0 {
		tables, data, err := f.quantisation(fr.q, fr.data)
		if err != nil {
			return err
		}
		fr.data = data
		a.buf = appendJPEGHeader(a.buf, &fr, tables)
		c.nalus, c.slices, c.startsAtZero, c.opens = 1, 1, true, true
	}
	if len(fr.data) == 0 {
		return errors.New("empty fragment")
	}
	a.buf = append(a.buf, fr.data...)
	c.sliceBytes += len(fr.data)
	c.ends = bytes.HasSuffix(a.buf, endOfImage)
	return nil
}

// unit implements payloadFormat.
func (f *jpegFormat) unit(a *Assembler) []byte {
	if a.content.ends {
		return slices.Clone(a.buf)
	}
	return slices.Concat(a.buf, endOfImage)
}

// readJPEGFragment reads the headers of a packet.
func readJPEGFragment(p []byte) (jpegFragment, error) {
	if len(p) < jpegHeaderBytes {
		return jpegFragment{}, errors.New("truncated packet")
	}
	fr := jpegFragment{
		offset: int(p[1])<<16 | int(p[2])<<8 | int(p[3]), typ: p[4], q: p[5], width: int(p[6]) * 8, height: int(p[7]) * 8,
		data: p[jpegHeaderBytes:],
	}
	switch {
	case p[0] != 0:
		return fr, errors.New("interlaced MJPEG is not supported")
	case fr.typ&^jpegRestart > 1 || fr.typ > jpegMaxType:
		return fr, fmt.Errorf("MJPEG type %d is not supported", fr.typ)
	case fr.width == 0 || fr.height == 0:
		return fr, errors.New("MJPEG of over 2040 pixels is not supported")
	}
	if fr.typ&jpegRestart != 0 {
		if len(fr.data) < jpegRestartBytes {
			return fr, errors.New("truncated packet")
		}
		// The position of intervals in the packets is not needed.
		if fr.restart = int(binary.BigEndian.Uint16(fr.data)); fr.restart == 0 {
			return fr, errors.New("empty restart interval")
		}
		fr.data = fr.data[jpegRestartBytes:]
	}
	return fr, nil
}

// quantisation returns the one or two tables of a picture and the data after them in
// its first packet.
func (f *jpegFormat) quantisation(q byte, data []byte) (tables, rest []byte, err error) {
	if q < jpegTablesWithData {
		if q == 0 || q > jpegMaxComputed {
			return nil, nil, fmt.Errorf("MJPEG quality %d is not defined", q)
		}
		return computeTables(int(q)), data, nil
	}
	if len(data) < jpegTablesBytes {
		return nil, nil, errors.New("truncated packet")
	}
	precision, n := data[1], int(binary.BigEndian.Uint16(data[2:]))
	data = data[jpegTablesBytes:]
	switch {
	case n > len(data):
		return nil, nil, errors.New("truncated packet")
	case n == 0: // the tables of an earlier packet
		if tables = f.tables[q]; tables == nil || q == jpegChangingTables {
			return nil, nil, errors.New("quantisation tables are missing")
		}
		return tables, data, nil
	case precision != 0 || n != jpegTable && n != 2*jpegTable:
		return nil, nil, fmt.Errorf("quantisation tables of %d bytes with precision %d are not supported", n, precision)
	}
	if f.tables == nil {
		f.tables = make(map[byte][]byte)
	}
	f.tables[q] = slices.Clone(data[:n])
	return data[:n], data[n:], nil
}

// appendJPEGHeader appends the headers of an image (RFC 2435, appendix B).
func appendJPEGHeader(b []byte, fr *jpegFragment, tables []byte) []byte {
	const (
		dqt = 0xdb
		dri = 0xdd
		sof = 0xc0
		sos = 0xda
	)
	n := len(tables) / jpegTable
	b = append(b, 0xff, 0xd8)
	for i := range n {
		b = append(b, 0xff, dqt, 0, 3+jpegTable, byte(i))
		b = append(b, tables[i*jpegTable:][:jpegTable]...)
	}
	if fr.restart > 0 {
		b = append(b, 0xff, dri, 0, 4, byte(fr.restart>>8), byte(fr.restart)) //nolint:gosec // it was two bytes
	}
	luma, chroma := byte(0x21), byte(n-1) //nolint:gosec // 1 or 2
	if fr.typ&^jpegRestart == 1 {
		luma = 0x22
	}
	b = append(b, 0xff, sof, 0, 17, 8)
	b = binary.BigEndian.AppendUint16(b, uint16(fr.height)) //nolint:gosec // at most 2040
	b = binary.BigEndian.AppendUint16(b, uint16(fr.width))  //nolint:gosec // at most 2040
	b = append(b, 3, 1, luma, 0, 2, 0x11, chroma, 3, 0x11, chroma)
	return append(b, 0xff, sos, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0)
}

// computeTables computes the tables of a quality (RFC 2435, appendix A).
func computeTables(q int) []byte {
	scale := 200 - 2*q
	if q < 50 {
		scale = 5000 / q
	}
	out := make([]byte, 0, 2*jpegTable)
	for _, v := range slices.Concat(lumaQuantisers[:], chromaQuantisers[:]) {
		out = append(out, byte(min(max((int(v)*scale+50)/100, 1), 255))) //nolint:gosec // bounded
	}
	return out
}

// The tables of quality 50, in zigzag order (RFC 2435, appendix A).
var lumaQuantisers = [jpegTable]byte{
	16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
	56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
}

var chromaQuantisers = [jpegTable]byte{
	17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
}
