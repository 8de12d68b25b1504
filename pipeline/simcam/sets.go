package simcam

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"scrim/transport"
)

// parameterSets returns those of a container in Annex B form, and whether NAL
// units have lengths before them instead of start codes (ISO/IEC 14496-15, 5.3.3.1
// and 8.3.3.1).
func parameterSets(codec transport.Codec, extra []byte) (sets []byte, lengths bool, err error) {
	if codec == transport.MJPEG || len(extra) == 0 || extra[0] != 1 {
		return extra, false, nil
	}
	r := setsRecord{b: extra}
	if codec == transport.H265 {
		r.hvcC()
	} else {
		r.avcC()
	}
	if r.bad {
		return nil, false, fmt.Errorf("%w: its record of parameter sets is not understood", ErrCoding)
	}
	sets, err = r.nalus.Marshal()
	return sets, true, err
}

// setsRecord reads an avcC or hvcC record.
type setsRecord struct {
	b     []byte
	nalus h264.AnnexB
	bad   bool
}

// lengthOfFour is lengthSizeMinusOne of NAL units with a length of four bytes.
const lengthOfFour = 3

func (r *setsRecord) avcC() {
	const lengthAt, countAt = 4, 5
	if r.skip(countAt); r.bad || r.b[lengthAt]&3 != lengthOfFour {
		r.bad = true
		return
	}
	r.b = r.b[countAt:]
	r.sets(int(r.take(1)) & 0x1f)
	r.sets(int(r.take(1)))
}

func (r *setsRecord) hvcC() {
	const lengthAt, arraysAt = 21, 22
	if r.skip(arraysAt); r.bad || r.b[lengthAt]&3 != lengthOfFour {
		r.bad = true
		return
	}
	r.b = r.b[arraysAt:]
	for range r.take(1) {
		r.take(1) // their type
		r.sets(int(r.take(2)))
	}
}

// skip requires more than n bytes.
func (r *setsRecord) skip(n int) { r.bad = r.bad || len(r.b) <= n }

// take reads a number of n bytes.
func (r *setsRecord) take(n int) (v uint) {
	if r.bad = r.bad || len(r.b) < n; r.bad {
		return 0
	}
	for _, c := range r.b[:n] {
		v = v<<8 | uint(c)
	}
	r.b = r.b[n:]
	return v
}

func (r *setsRecord) sets(n int) {
	for range n {
		size := int(r.take(2)) //nolint:gosec // two bytes
		if r.bad = r.bad || len(r.b) < size; r.bad {
			return
		}
		r.nalus = append(r.nalus, r.b[:size])
		r.b = r.b[size:]
	}
}

// huffman are the SHA-256 of the tables of ITU-T T.81, annex K.3, each with its class
// and number.
var huffman = []string{
	"9fb04cb1a8076318f33f273ffef967a9ea7291ecf3adeca79f643dfd300de425", // DC, luma
	"f27ce9b718f91cd426885e6ce4a37d0ba4900db219f719eef29ecc1f7f4fd5f0", // AC, luma
	"af48d4f608dfb682fd19ee479c66dad5342dfbed5b1d1807b95393162a8715d1", // DC, chroma
	"8cf60aa835f8474bb590e73332bee9c246bec9ce1e368aa725674c096f3efd2c", // AC, chroma
}

// withoutHuffman takes out of a JPEG image the Huffman tables, which RTP does not
// carry.
func withoutHuffman(im []byte) ([]byte, error) {
	out, tables := cutHuffman(im)
	for _, t := range tables {
		if !slices.Contains(huffman, fmt.Sprintf("%x", sha256.Sum256(t))) {
			return nil, fmt.Errorf("%w: it is JPEG with Huffman tables of its own (with FFmpeg, use -huffman default)", ErrCoding)
		}
	}
	return out, nil
}

// cutHuffman returns an image without its Huffman tables, and those.
func cutHuffman(im []byte) (out []byte, tables [][]byte) {
	const (
		dht, sos = 0xc4, 0xda
		counts   = 17 // class and number, and how many codes there are of each length
	)
	at := 2
	out = slices.Clone(im[:min(at, len(im))])
	for at+4 <= len(im) && im[at] == 0xff && im[at+1] != sos {
		n := 2 + int(im[at+2])<<8 + int(im[at+3])
		if at+n > len(im) {
			break
		}
		segment := im[at : at+n]
		at += n
		if segment[1] != dht {
			out = append(out, segment...)
			continue
		}
		for b := segment[4:]; len(b) >= counts; {
			size := counts
			for _, c := range b[1:counts] {
				size += int(c)
			}
			size = min(size, len(b))
			tables = append(tables, b[:size])
			b = b[size:]
		}
	}
	return append(out, im[min(at, len(im)):]...), tables
}
