package infer

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"
)

// maker writes the ONNX file of a network of YuNet's kind, with random weights:
// no test needs a trained one.
type maker struct {
	r     *rand.Rand
	graph []byte
	names int
}

func (m *maker) name() string {
	m.names++
	return fmt.Sprintf("v%d", m.names)
}

func sub(to []byte, n protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, n, protowire.BytesType), message)
}

func number(to []byte, n protowire.Number, v int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, n, protowire.VarintType), uint64(v))
}

// tensor adds a constant of floats, or of integers, and returns its name.
func (m *maker) tensor(floats []float32, ints []int, dims ...int) string {
	name := m.name()
	var t, raw []byte
	kind := typeInt64
	for _, d := range dims {
		t = number(t, 1, d)
	}
	for _, f := range floats {
		kind = typeFloat
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	for _, i := range ints {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
	}
	t = number(t, 2, kind)
	t = sub(sub(t, 8, []byte(name)), 9, raw)
	m.graph = sub(m.graph, 5, t)
	return name
}

// random returns weights that keep values about as large as they are.
func (m *maker) random(fan float64, dims ...int) string {
	n := 1
	for _, d := range dims {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(m.r.NormFloat64() / math.Sqrt(fan))
	}
	return m.tensor(v, nil, dims...)
}

// node adds a node and returns its output. Attributes are lists of integers, an
// integer or a string.
func (m *maker) node(op, out string, attrs map[string]any, in ...string) string {
	if out == "" {
		out = m.name()
	}
	var n []byte
	for _, i := range in {
		n = sub(n, 1, []byte(i))
	}
	n = sub(sub(n, 2, []byte(out)), 4, []byte(op))
	for name, value := range attrs {
		a := sub(nil, 1, []byte(name))
		switch v := value.(type) {
		case int:
			a = number(a, 3, v)
		case string:
			a = sub(a, 4, []byte(v))
		case []int:
			for _, i := range v {
				a = number(a, 8, i)
			}
		}
		n = sub(n, 5, a)
	}
	m.graph = sub(m.graph, 1, n)
	return out
}

func (m *maker) conv(in string, ins, outs, side, stride, groups int) string {
	p := side / 2
	fan := float64(ins / groups * side * side)
	if stride == 2 {
		fan *= 255 * 255
	}
	return m.node("Conv", "", map[string]any{
		"kernel_shape": []int{side, side}, "strides": []int{stride, stride}, "pads": []int{p, p, p, p},
		"dilations": []int{1, 1}, "group": groups,
	}, in, m.random(fan/2, outs, ins/groups, side, side), m.random(10, outs))
}

func (m *maker) unit(in string, ins, outs int) string {
	return m.node("Relu", "", nil, m.conv(m.conv(in, ins, outs, 1, 1, 1), outs, outs, 3, 1, outs))
}

func (m *maker) pool(in string) string {
	return m.node("MaxPool", "", map[string]any{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}, "pads": []int{0, 0, 0, 0}}, in)
}

func (m *maker) add(fine, coarse string) string {
	up := m.node("Resize", "", map[string]any{
		"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor",
	}, coarse, "", m.tensor([]float32{1, 1, 2, 2}, nil, 4))
	return m.node("Add", "", nil, fine, up)
}

func (m *maker) head(in string, channels, stride int) {
	for _, o := range outputs {
		name := fmt.Sprintf("%s_%d", o.name, stride)
		v := m.conv(m.conv(in, channels, o.channels, 1, 1, 1), o.channels, o.channels, 3, 1, o.channels)
		v = m.node("Transpose", "", map[string]any{"perm": []int{0, 2, 3, 1}}, v)
		shape := m.tensor(nil, []int{1, -1, o.channels}, 3)
		if o.sigmoid {
			m.node("Sigmoid", name, nil, m.node("Reshape", "", nil, v, shape))
		} else {
			m.node("Reshape", name, nil, v, shape)
		}
	}
}

// file returns the model that holds what was added.
func (m *maker) file() []byte { return sub(number(nil, 1, 6), 7, m.graph) }

// newMaker returns a maker whose weights the seed decides.
func newMaker(seed uint64) *maker { return &maker{r: rand.New(rand.NewPCG(seed, 0))} }

// made returns the ONNX file of a whole network. a, b and c are the channels of
// its first maps and of all others.
func made(seed uint64, a, b, c int) []byte {
	m := newMaker(seed)
	v := m.node("Relu", "", nil, m.conv("input", 3, a, 3, 2, 1))
	v = m.pool(m.unit(v, a, a))
	v = m.unit(m.unit(v, a, b), b, c)
	v8 := m.unit(m.pool(v), c, c)
	v16 := m.unit(m.pool(v8), c, c)
	v32 := m.unit(m.unit(m.pool(v16), c, c), c, c)
	v16 = m.unit(m.add(v16, v32), c, c)
	v8 = m.unit(m.add(v8, v16), c, c)
	for i, v := range []string{v8, v16, v32} {
		m.head(m.unit(v, c, c), c, strides[i])
	}
	return m.file()
}
