package bitstream

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Markers of JPEG (ITU-T T.81, table B.1).
const (
	jpegSOF0 = 0xc0 // frame header, baseline
	jpegDHT  = 0xc4
	jpegRST0 = 0xd0
	jpegRST7 = 0xd7
	jpegSOI  = 0xd8
	jpegEOI  = 0xd9
	jpegSOS  = 0xda
	jpegDQT  = 0xdb
	jpegDRI  = 0xdd
	jpegAPP0 = 0xe0
	jpegAPP  = 0xef
	jpegCOM  = 0xfe
)

const (
	// maxSegments bounds the segments of an image.
	maxSegments = 64
	// quantTable is the length of a quantisation table of 8 bits with its number.
	quantTable = 65
	// frameHeader is the length of a frame header with three components, scanHeader
	// that of the header of their scan.
	frameHeader, scanHeader = 15, 10
)

// inspectJPEG is Inspect for MJPEG: a baseline image of one scan, of three
// components with 4:2:0 or 4:2:2, without Huffman tables of its own.
func (i *Info) inspectJPEG(im []byte) error {
	if len(im) < 4 || im[0] != 0xff || im[1] != jpegSOI {
		return fmt.Errorf("%w: it is not a JPEG image", ErrDamaged)
	}
	out := append(make([]byte, 0, len(im)), im[:2]...)
	var tables [4]bool
	rest := im[2:]
	for n := 0; ; n++ {
		if n == maxSegments {
			return fmt.Errorf("%w: more than %d segments before the scan", ErrDamaged, maxSegments)
		}
		if len(rest) < 4 || rest[0] != 0xff {
			return fmt.Errorf("%w: JPEG segment without a marker", ErrDamaged)
		}
		marker, size := rest[1], int(binary.BigEndian.Uint16(rest[2:]))
		if size < 2 || size+2 > len(rest) {
			return fmt.Errorf("%w: JPEG segment %#x of %d bytes", ErrDamaged, marker, size)
		}
		whole, body := rest[:size+2], rest[4:size+2]
		rest = rest[size+2:]
		switch {
		case marker == jpegDQT:
			if err := quantisation(body, &tables); err != nil {
				return err
			}
		case marker == jpegDRI && len(body) == 2:
		case marker == jpegSOF0:
			if err := i.frame(body, &tables); err != nil {
				return err
			}
		case marker == jpegSOS:
			if err := i.scan(body); err != nil {
				return err
			}
			data, err := coded(rest)
			if err != nil {
				return err
			}
			i.Data = append(append(append(out, whole...), data...), 0xff, jpegEOI)
			i.Key, i.Slices = true, 1
			return nil
		case marker >= jpegAPP0 && marker <= jpegAPP, marker == jpegCOM: // says nothing that is needed
			continue
		case marker > jpegSOF0 && marker <= 0xcf && marker != jpegDHT:
			return fmt.Errorf("%w: JPEG frame of type %#x; choose baseline JPEG in the camera", ErrUnsupported, marker)
		case marker == jpegDHT:
			return fmt.Errorf("%w: JPEG with Huffman tables of its own, which RTP does not carry", ErrUnsupported)
		default:
			return fmt.Errorf("%w: JPEG segment %#x", ErrDamaged, marker)
		}
		out = append(out, whole...)
	}
}

// quantisation checks quantisation tables.
func quantisation(b []byte, tables *[4]bool) error {
	for len(b) > 0 {
		if len(b) < quantTable || b[0] >= byte(len(tables)) || bytes.IndexByte(b[1:quantTable], 0) >= 0 {
			return fmt.Errorf("%w: JPEG quantisation table", ErrDamaged)
		}
		tables[b[0]] = true
		b = b[quantTable:]
	}
	return nil
}

// frame checks a frame header (ITU-T T.81, B.2.2).
func (i *Info) frame(b []byte, tables *[4]bool) error {
	switch {
	case i.SPS != nil:
		return fmt.Errorf("%w: two JPEG frames in one picture", ErrDamaged)
	case len(b) > 6 && b[5] != 3:
		return fmt.Errorf("%w: JPEG of %d components, not 3; choose colour in the camera", ErrUnsupported, b[5])
	case len(b) != frameHeader || b[0] != 8:
		return fmt.Errorf("%w: JPEG frame header", ErrDamaged)
	}
	if luma, cb, cr := b[7], b[10], b[13]; luma != 0x22 && luma != 0x21 || cb != 0x11 || cr != 0x11 {
		return fmt.Errorf("%w: JPEG sampling %x, %x, %x is neither 4:2:0 nor 4:2:2; choose one of these in the camera", ErrUnsupported, luma, cb, cr)
	}
	if b[6] == b[9] || b[6] == b[12] || b[9] == b[12] {
		return fmt.Errorf("%w: JPEG components are not told apart", ErrDamaged)
	}
	for _, q := range []byte{b[8], b[11], b[14]} {
		if int(q) >= len(tables) || !tables[q] {
			return fmt.Errorf("%w: JPEG lacks quantisation table %d", ErrDamaged, q)
		}
	}
	h, w := int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if err := checkSize(w, h); err != nil {
		return err
	}
	i.SPS, i.Width, i.Height = b, w, h
	return nil
}

// scan checks a scan header (ITU-T T.81, B.2.3): of all components, with the tables
// of annex K.3 for luma and chroma.
func (i *Info) scan(b []byte) error {
	if i.SPS == nil || len(b) != scanHeader || b[0] != 3 || b[7] != 0 || b[8] != 63 || b[9] != 0 {
		return fmt.Errorf("%w: JPEG scan header", ErrDamaged)
	}
	for n, tables := range []byte{0, 0x11, 0x11} {
		if b[1+2*n] != i.SPS[6+3*n] || b[2+2*n] != tables {
			return fmt.Errorf("%w: JPEG scan header", ErrDamaged)
		}
	}
	return nil
}

// coded returns the coded data of a scan, up to the end of the image or of b.
func coded(b []byte) ([]byte, error) {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], 0xff)
		if n < 0 || at+n+1 == len(b) {
			return nil, fmt.Errorf("%w: JPEG image without its end", ErrDamaged)
		}
		at += n + 1
		switch m := b[at]; {
		case m == 0, m == 0xff, m >= jpegRST0 && m <= jpegRST7:
		case m == jpegEOI:
			return b[:at-1], nil
		default:
			return nil, fmt.Errorf("%w: JPEG marker %#x within the scan", ErrDamaged, m)
		}
	}
}
