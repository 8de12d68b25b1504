package infer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrModel is wrapped by errors about a file that is no network of the kind that
// this package runs.
var ErrModel = errors.New("not a network that is known")

// Bounds on what a file may hold; the known ones have a quarter of that at most.
const (
	maxFile    = 64 << 20
	maxNodes   = 1024
	maxTensors = 1024
	maxDims    = 8
	maxValues  = 1 << 20 // of a tensor
	maxList    = 64      // inputs of a node, or its attributes
)

// graph is what is used of an ONNX GraphProto
// (github.com/onnx/onnx/blob/main/onnx/onnx.proto).
type graph struct {
	nodes   []node
	tensors map[string]tensor
	made    map[string]int // which node makes a value
}

type node struct {
	op      string
	in, out []string
	attrs   map[string]attr
}

type attr struct {
	i    int64
	s    string
	ints []int64
}

// tensor holds constants: floats, or integers.
type tensor struct {
	dims   []int
	floats []float32
	ints   []int64
}

// field is one field of a message: a number, or bytes.
type field struct {
	n protowire.Number
	v uint64
	b []byte
}

// each calls f for each field of a message.
func each(b []byte, f func(field) error) error {
	for len(b) > 0 {
		n, t, l := protowire.ConsumeTag(b)
		if l < 0 {
			return fmt.Errorf("%w: %w", ErrModel, protowire.ParseError(l))
		}
		b = b[l:]
		one := field{n: n}
		switch t {
		case protowire.VarintType:
			one.v, l = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			one.b, l = protowire.ConsumeBytes(b)
		default:
			l = protowire.ConsumeFieldValue(n, t, b)
		}
		if l < 0 {
			return fmt.Errorf("%w: %w", ErrModel, protowire.ParseError(l))
		}
		b = b[l:]
		if err := f(one); err != nil {
			return err
		}
	}
	return nil
}

// add appends the integers of a repeated field, packed or not.
func (f field) add(to []int64, most int) ([]int64, error) {
	if f.b == nil {
		to = append(to, int64(f.v)) //nolint:gosec // that is how they are coded
	}
	for b := f.b; len(b) > 0; {
		v, l := protowire.ConsumeVarint(b)
		if l < 0 {
			return nil, fmt.Errorf("%w: %w", ErrModel, protowire.ParseError(l))
		}
		b = b[l:]
		if to = append(to, int64(v)); len(to) > most { //nolint:gosec // as above
			break
		}
	}
	if len(to) > most {
		return nil, fmt.Errorf("%w: a list of over %d numbers", ErrModel, most)
	}
	return to, nil
}

// parse reads the graph of an ONNX ModelProto.
func parse(onnx []byte) (*graph, error) {
	if len(onnx) == 0 || len(onnx) > maxFile {
		return nil, fmt.Errorf("%w: %d bytes", ErrModel, len(onnx))
	}
	g := &graph{tensors: make(map[string]tensor), made: make(map[string]int)}
	err := each(onnx, func(f field) error {
		if f.n == 7 {
			return g.read(f.b)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, n := range g.nodes {
		for _, name := range n.out {
			if _, twice := g.made[name]; twice {
				return nil, fmt.Errorf("%w: two nodes make %.40q", ErrModel, name)
			}
			g.made[name] = i
		}
	}
	return g, nil
}

func (g *graph) read(b []byte) error {
	return each(b, func(f field) error {
		switch f.n {
		case 1:
			n, err := readNode(f.b)
			if g.nodes = append(g.nodes, n); err == nil && len(g.nodes) > maxNodes {
				err = fmt.Errorf("%w: over %d nodes", ErrModel, maxNodes)
			}
			return err
		case 5:
			name, t, err := readTensor(f.b)
			if g.tensors[name] = t; err == nil && len(g.tensors) > maxTensors {
				err = fmt.Errorf("%w: over %d constants", ErrModel, maxTensors)
			}
			return err
		}
		return nil
	})
}

func readNode(b []byte) (n node, err error) {
	n.attrs = make(map[string]attr)
	err = each(b, func(f field) error {
		switch f.n {
		case 1:
			n.in = append(n.in, string(f.b))
		case 2:
			n.out = append(n.out, string(f.b))
		case 4:
			n.op = string(f.b)
		case 5:
			name, a, err := readAttr(f.b)
			n.attrs[name] = a
			if err != nil {
				return err
			}
		}
		if len(n.in) > maxList || len(n.out) > maxList || len(n.attrs) > maxList {
			return fmt.Errorf("%w: a node with over %d inputs, outputs or attributes", ErrModel, maxList)
		}
		return nil
	})
	return n, err
}

func readAttr(b []byte) (name string, a attr, err error) {
	err = each(b, func(f field) (err error) {
		switch f.n {
		case 1:
			name = string(f.b)
		case 3:
			a.i = int64(f.v) //nolint:gosec // that is how they are coded
		case 4:
			a.s = string(f.b)
		case 8:
			a.ints, err = f.add(a.ints, maxList)
		}
		return err
	})
	return name, a, err
}

// Types of tensors that are read.
const (
	typeFloat = 1
	typeInt64 = 7
)

func readTensor(b []byte) (name string, t tensor, err error) {
	var dims []int64
	var kind uint64
	var raw []byte
	err = each(b, func(f field) (err error) {
		switch f.n {
		case 1:
			dims, err = f.add(dims, maxDims)
		case 2:
			kind = f.v
		case 8:
			name = string(f.b)
		case 9:
			raw = f.b
		}
		return err
	})
	if err != nil {
		return "", t, err
	}
	count := 1
	for _, d := range dims {
		if d < 0 || d > maxValues || count*int(d) > maxValues {
			return "", t, fmt.Errorf("%w: constant %.40q has dimensions %v", ErrModel, name, dims)
		}
		t.dims = append(t.dims, int(d))
		count *= int(d)
	}
	switch {
	case kind == typeFloat && len(raw) == 4*count:
		t.floats = make([]float32, count)
		for i := range t.floats {
			t.floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case kind == typeInt64 && len(raw) == 8*count:
		t.ints = make([]int64, count)
		for i := range t.ints {
			t.ints[i] = int64(binary.LittleEndian.Uint64(raw[8*i:])) //nolint:gosec // that is how they are coded
		}
	}
	// Others are empty. Who needs one says so.
	return name, t, nil
}
