package infer

import (
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// #include "net.h"
import "C"

// lane is what channels are padded to: the longest vector.
const lane = C.SCRIM_BLOCK

// alignment is the longest vector's, in bytes.
const alignment = 64

// limitSum bounds the sums of the positive and of the negative weights of one
// output as 16-bit integers: with activations from 0 to 16383 no result leaves 32
// bits. On the way there sums may wrap around, which does no harm.
const limitSum = 131071

func padded(channels int) int { return (channels + lane - 1) / lane * lane }

// aligned returns n bytes that begin at a multiple of alignment. Go does not
// move what lies on its heap.
func aligned(n int) []byte {
	b := make([]byte, n+alignment)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (alignment - 1)) //nolint:gosec // below alignment
	return b[off : off+n : off+n]
}

// packer lays weights out as the kernels read them.
type packer struct {
	bytes []byte
	quant bool // 16-bit products
}

func (p *packer) place(data []byte) C.int64_t {
	at := (len(p.bytes) + alignment - 1) / alignment * alignment
	p.bytes = append(p.bytes, make([]byte, at-len(p.bytes))...)
	p.bytes = append(p.bytes, data...)
	return C.int64_t(at)
}

// raw returns the memory of a slice.
func raw[T float32 | int16](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}

// vector places one value for each output.
func (p *packer) vector(v []float32, outs int) C.int64_t {
	all := make([]float32, outs)
	copy(all, v)
	return p.place(raw(all))
}

// matrix places weights as floats: for each of the inputs all outputs. weight
// returns one of them.
func (p *packer) matrix(ins, outs int, weight func(in, out int) float32) C.int64_t {
	all := make([]float32, ins*outs)
	for i := range ins {
		for o := range outs {
			all[i*outs+o] = weight(i, o)
		}
	}
	return p.place(raw(all))
}

// pairs places weights as 16-bit integers: for each two inputs all outputs, for
// each output both. Since no input is negative, most bounds the sum of an
// output's positive weights and that of the others. It returns also what one unit
// of a product is worth, by output.
func (p *packer) pairs(ins, outs int, most float64, weight func(in, out int) float32) (at C.int64_t, units []float32) {
	all := make([]int16, ins*outs)
	units = make([]float32, outs)
	for o := range outs {
		above, below, largest := 0.0, 0.0, 0.0
		for i := range ins {
			w := float64(weight(i, o))
			above, below, largest = above+max(w, 0), below+max(-w, 0), max(largest, math.Abs(w))
		}
		if largest < 1e-30 {
			continue
		}
		// Rounding adds up to a half to each.
		scale := min(math.MaxInt16/largest, (most-float64(ins))/max(above, below))
		units[o] = float32(1 / scale)
		for i := range ins {
			all[(i/2*outs+o)*2+i%2] = int16(math.RoundToEven(float64(weight(i, o)) * scale))
		}
	}
	return p.place(raw(all)), units
}

// stemPairs is the order of the stem's inputs as pairs: blue and green of each
// of nine pixels, then red of two in a row, and of the third with nothing. -1 is
// nothing; else it is row·9 + column·3 + colour.
var stemPairs = func() (order []int) {
	for at := range 9 {
		order = append(order, 3*at, 3*at+1)
	}
	for y := range 3 {
		order = append(order, 9*y+2, 9*y+5, 9*y+8, -1)
	}
	return order
}()

// pack returns the plan of a network and its weights.
func pack(steps []step, quant bool) (*C.scrim_plan, []byte, error) {
	plan := &C.scrim_plan{nodes: C.int32_t(len(steps))}
	p := &packer{quant: quant}
	for i := range steps {
		s := &steps[i]
		n := &plan.node[i]
		n.kind, n.shift, n.scale = C.int32_t(s.kind), C.int32_t(s.shift), C.int32_t(s.scale)
		n.cin, n.cout = C.int32_t(padded(s.cin)), C.int32_t(padded(s.cout))
		switch s.kind {
		case stem:
			n.cin = 3
			p.stem(s, n)
		case unit, head:
			p.unit(s, n)
		}
	}
	for i := range steps {
		// Additions come first: the pools' way leads to them, and asks for the row.
		for _, kinds := range [][]kind{{add}, {unit, pool, head}} {
			for k := range steps {
				if s := &steps[k]; k > 0 && s.in == i && slices.Contains(kinds, s.kind) {
					if err := link(&plan.node[i], 2*k); err != nil {
						return nil, nil, err
					}
				}
			}
		}
		for k := range steps {
			if s := &steps[k]; s.kind == add && s.coarse == i {
				if err := link(&plan.node[i], 2*k+1); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	weights := aligned(len(p.bytes))
	copy(weights, p.bytes)
	return plan, weights, nil
}

func link(n *C.scrim_node, to int) error {
	if n.nnext == maxNext {
		return fmt.Errorf("%w: a map that over %d steps need", ErrModel, maxNext)
	}
	n.next[n.nnext] = C.int32_t(to)
	n.nnext++
	return nil
}

func (p *packer) stem(s *step, n *C.scrim_node) {
	outs := int(n.cout)
	// In the file: for each output, each of blue, green and red: three rows of three.
	weight := func(in, out int) float32 {
		if in < 0 || out >= s.cout {
			return 0
		}
		return s.pw.weights[out*27+in%3*9+in/3]
	}
	n.pwbias = p.vector(s.pw.bias, outs)
	if !p.quant {
		n.pw = p.matrix(27, outs, weight)
		return
	}
	n.quant = 1
	var units []float32
	n.pw, units = p.pairs(len(stemPairs), outs, math.MaxInt32/255, func(in, out int) float32 { return weight(stemPairs[in], out) })
	n.pwscale = p.vector(units, outs)
}

func (p *packer) unit(s *step, n *C.scrim_node) {
	ins, outs := int(n.cin), int(n.cout)
	pointwise := func(in, out int) float32 {
		if in >= s.cin || out >= s.cout {
			return 0
		}
		return s.pw.weights[out*s.cin+in]
	}
	n.pwbias = p.vector(s.pw.bias, outs)
	if p.quant {
		n.quant = 1
		var units []float32
		n.pw, units = p.pairs(ins, outs, limitSum, pointwise)
		n.pwscale = p.vector(units, outs)
	} else {
		n.pw = p.matrix(ins, outs, pointwise)
	}
	n.dw = p.matrix(9, outs, func(tap, out int) float32 {
		if out >= s.cout {
			return 0
		}
		return s.dw.weights[out*9+tap]
	})
	n.dwbias = p.vector(s.dw.bias, outs)
}
