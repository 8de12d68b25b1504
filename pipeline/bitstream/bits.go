package bitstream

import (
	"errors"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
)

// errRange says that a syntax element has a value that H.264 does not allow.
var errRange = errors.New("a value is out of range")

// reader reads the syntax elements of an RBSP. The first error sticks, and
// what is read after it is 0.
type reader struct {
	b   []byte
	pos int
	err error
}

// u reads u(n), n at most 32.
func (r *reader) u(n int) uint32 {
	if r.err != nil || n == 0 { // mediacommon v2.9.3 would read what is behind the end
		return 0
	}
	v, err := bits.ReadBits(r.b, &r.pos, n)
	r.err = err
	return uint32(v) //nolint:gosec // n is at most 32
}

// flag reads u(1).
func (r *reader) flag() bool { return r.u(1) == 1 }

// ue reads ue(v), which must be at most limit.
func (r *reader) ue(limit uint32) uint32 {
	if r.err != nil {
		return 0
	}
	v, err := bits.ReadGolombUnsigned(r.b, &r.pos)
	if err == nil && v > limit {
		err = errRange
	}
	if err != nil {
		r.err = err
		return 0
	}
	return v
}

// skip reads n elements of ue(v) or se(v), which have the same length, whose
// value does not matter.
func (r *reader) skip(n int) {
	for range n {
		r.ue(1<<32 - 1)
	}
}

// unescape removes the emulation prevention bytes (H.264, 7.4.1) until dst is
// full, and returns what is in it.
func unescape(dst, src []byte) []byte {
	n, zeros := 0, 0
	for _, c := range src {
		if n == len(dst) {
			break
		}
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
		dst[n] = c
		n++
	}
	return dst[:n]
}
