package decode

import "bytes"

// tailBytes is more than a coding tree unit can have (H.265, A.3.2: 5/3 of its raw
// samples, 10 KiB), whatever is read in it that is not there.
const tailBytes = 32 << 10

// tail ends a slice that was cut: for the arithmetic decoder, bits that are all set
// mark the end of the slice after every coding tree unit (H.265, 9.3.4.3.5). Without
// it a decoder continues with whatever it reads behind the slice. A cut within the last
// coding tree unit still goes unnoticed.
var tail = bytes.Repeat([]byte{0xff}, tailBytes)

// endSlices copies an H.265 access unit in Annex B form to dst, with the tail behind
// every slice, and says whether there are slices. A slice that is whole ends before its
// tail, which is not read then.
func endSlices(dst, au []byte) (out []byte, slices bool) {
	const lastVCL = 31 // H.265, table 7-1
	start := []byte{0, 0, 1}
	slice := false
	for {
		i := bytes.Index(au, start)
		if i < 0 {
			i = len(au)
		}
		dst = append(dst, bytes.TrimRight(au[:i], "\x00")...)
		if slice {
			dst = append(dst, tail...)
		}
		if i == len(au) {
			return dst, slices
		}
		au = au[i+len(start):]
		dst = append(dst, 0, 0, 0, 1)
		slice = len(au) > 0 && au[0]>>1&0x3f <= lastVCL
		slices = slices || slice
	}
}
