package infer

import (
	"fmt"
	"slices"
)

// kind says what a step does.
type kind int

// The kinds of steps, as net.h numbers them.
const (
	stem kind = iota // 3×3 with stride 2, from three colours, rectified
	unit             // pointwise, depthwise 3×3, rectified
	pool             // the largest of 2×2
	add              // a map and one of half its size
	head             // pointwise and depthwise, to the outputs of one scale
)

const (
	maxChannels = 64
	maxSteps    = 40
	maxNext     = 3
	// maxShift is for the coarsest map: 1/32 of the input.
	maxShift = 5
	// minAdd is for the finest map that is kept as a whole, for a sum.
	minAdd = 3
	// maxWeight keeps everything that is computed finite; see kernel_stream.h.
	maxWeight = 1 << 15
)

// step is one step of the network; its inputs are before it in the list.
type step struct {
	kind      kind
	in        int
	coarse    int // of an addition
	cin, cout int
	shift     int // its map has 1/2^shift of the input's sides
	scale     int // of a head
	pw, dw    conv
}

// conv is a convolution's weights: for each output, for each input, 3×3 or 1.
type conv struct{ weights, bias []float32 }

// builder turns a graph into steps, from its outputs backwards.
type builder struct {
	g     *graph
	steps []step
	done  map[string]int // the step that makes a value; -1: in progress
}

// outputs are what the heads make, in this order.
var outputs = [...]struct {
	name     string
	channels int
	sigmoid  bool
}{{"cls", 1, true}, {"obj", 1, true}, {"bbox", 4, false}}

const headValues = 1 + 1 + 4

// strides are those of the three scales, in pixels of the input.
var strides = [...]int{8, 16, 32}

// compile returns the steps of a graph. The stem is the first.
func compile(g *graph) ([]step, error) {
	b := &builder{g: g, done: make(map[string]int)}
	for scale := range strides {
		if err := b.head(scale); err != nil {
			return nil, err
		}
	}
	return b.steps, nil
}

func (b *builder) push(s step) (int, error) {
	if len(b.steps) == maxSteps {
		return 0, fmt.Errorf("%w: over %d steps", ErrModel, maxSteps)
	}
	b.steps = append(b.steps, s)
	return len(b.steps) - 1, nil
}

// node returns the node that makes a value, which must do op.
func (b *builder) node(value, op string) (*node, error) {
	if i, ok := b.g.made[value]; ok {
		if n := &b.g.nodes[i]; n.op == op && len(n.in) > 0 && n.in[0] != "" {
			return n, nil
		}
	}
	return nil, fmt.Errorf("%w: %.40q is not made by %s", ErrModel, value, op)
}

// head adds the head of one scale: the convolutions of all its outputs, joined.
func (b *builder) head(scale int) error {
	s := step{kind: head, scale: scale, cout: headValues, in: -1}
	for _, o := range outputs {
		value := fmt.Sprintf("%s_%d", o.name, strides[scale])
		var err error
		if o.sigmoid {
			var n *node
			if n, err = b.node(value, "Sigmoid"); err != nil {
				return err
			}
			value = n.in[0]
		}
		if value, err = b.cells(value, o.channels); err != nil {
			return err
		}
		in, pw, dw, err := b.separable(value)
		if err != nil {
			return err
		}
		if s.in >= 0 && s.in != in || len(pw.bias) != o.channels {
			return fmt.Errorf("%w: output %s_%d does not fit the others", ErrModel, o.name, strides[scale])
		}
		s.in = in
		s.pw.weights, s.pw.bias = append(s.pw.weights, pw.weights...), append(s.pw.bias, pw.bias...)
		s.dw.weights, s.dw.bias = append(s.dw.weights, dw.weights...), append(s.dw.bias, dw.bias...)
	}
	from := b.steps[s.in]
	if s.cin, s.shift = from.cout, from.shift; 1<<s.shift != strides[scale] {
		return fmt.Errorf("%w: the outputs for stride %d have stride %d", ErrModel, strides[scale], 1<<s.shift)
	}
	_, err := b.push(s)
	return err
}

// cells returns the map that value holds cell by cell.
func (b *builder) cells(value string, channels int) (string, error) {
	n, err := b.node(value, "Reshape")
	if err != nil {
		return "", err
	}
	if len(n.in) != 2 {
		return "", fmt.Errorf("%w: Reshape of %d inputs", ErrModel, len(n.in))
	}
	if shape := b.g.tensors[n.in[1]].ints; len(shape) != 3 || shape[0] != 1 || shape[2] != int64(channels) {
		return "", fmt.Errorf("%w: Reshape to %v", ErrModel, shape)
	}
	if n, err = b.node(n.in[0], "Transpose"); err != nil {
		return "", err
	}
	if !slices.Equal(n.attrs["perm"].ints, []int64{0, 2, 3, 1}) {
		return "", fmt.Errorf("%w: Transpose by %v", ErrModel, n.attrs["perm"].ints)
	}
	return n.in[0], nil
}

// separable returns the convolutions that make value, a pointwise and a
// depthwise one, and the step that they begin with.
func (b *builder) separable(value string) (in int, pw, dw conv, err error) {
	n, err := b.node(value, "Conv")
	if err != nil {
		return 0, pw, dw, err
	}
	var groups int
	if dw, groups, err = b.conv(n, 3, 1); err != nil {
		return 0, pw, dw, err
	}
	if groups != len(dw.bias) || len(dw.weights) != 9*groups {
		return 0, pw, dw, fmt.Errorf("%w: %.40q is not depthwise", ErrModel, value)
	}
	if n, err = b.node(n.in[0], "Conv"); err != nil {
		return 0, pw, dw, err
	}
	if pw, groups, err = b.conv(n, 1, 1); err != nil {
		return 0, pw, dw, err
	}
	if groups != 1 || len(pw.bias) != len(dw.bias) {
		return 0, pw, dw, fmt.Errorf("%w: convolutions of %d and %d channels", ErrModel, len(pw.bias), len(dw.bias))
	}
	if in, err = b.trace(n.in[0]); err != nil {
		return 0, pw, dw, err
	}
	if len(pw.weights) != len(pw.bias)*b.steps[in].cout {
		return 0, pw, dw, fmt.Errorf("%w: %d weights from %d channels to %d", ErrModel, len(pw.weights), b.steps[in].cout, len(pw.bias))
	}
	return in, pw, dw, nil
}

// conv returns the weights of a convolution of side×side.
func (b *builder) conv(n *node, side, stride int64) (c conv, groups int, err error) {
	pad := side / 2
	a := n.attrs
	switch {
	case len(n.in) != 3,
		!slices.Equal(a["kernel_shape"].ints, []int64{side, side}),
		!slices.Equal(a["strides"].ints, []int64{stride, stride}),
		!slices.Equal(a["pads"].ints, []int64{pad, pad, pad, pad}),
		!slices.Equal(a["dilations"].ints, []int64{1, 1}),
		a["auto_pad"].s != "" && a["auto_pad"].s != "NOTSET":
		return c, 0, fmt.Errorf("%w: a convolution that is not %d×%d with stride %d", ErrModel, side, side, stride)
	}
	w, bias := b.g.tensors[n.in[1]], b.g.tensors[n.in[2]]
	out := len(bias.floats)
	if len(w.dims) != 4 || len(w.floats) == 0 || w.dims[0] != out || out > maxChannels ||
		w.dims[2] != int(side) || w.dims[3] != int(side) || a["group"].i < 1 || a["group"].i > maxChannels {
		return c, 0, fmt.Errorf("%w: a convolution of %v with %d biases in %d groups", ErrModel, w.dims, out, a["group"].i)
	}
	for _, values := range [][]float32{w.floats, bias.floats} {
		for _, v := range values {
			if !(v >= -maxWeight && v <= maxWeight) {
				return c, 0, fmt.Errorf("%w: weight %v", ErrModel, v)
			}
		}
	}
	return conv{w.floats, bias.floats}, int(a["group"].i), nil
}

// trace returns the step that makes a value.
func (b *builder) trace(value string) (int, error) {
	if i, ok := b.done[value]; ok {
		if i < 0 {
			return 0, fmt.Errorf("%w: %.40q depends on itself", ErrModel, value)
		}
		return i, nil
	}
	b.done[value] = -1
	made, ok := b.g.made[value]
	if !ok {
		return 0, fmt.Errorf("%w: nothing makes %.40q", ErrModel, value)
	}
	n := &b.g.nodes[made]
	var s step
	var err error
	switch n.op {
	case "Relu":
		s, err = b.rectified(n)
	case "MaxPool":
		s, err = b.pool(n)
	case "Add":
		s, err = b.add(n)
	default:
		err = fmt.Errorf("%w: operator %.40q", ErrModel, n.op)
	}
	if err != nil {
		return 0, err
	}
	if s.shift > maxShift {
		return 0, fmt.Errorf("%w: a stride of %d", ErrModel, 1<<s.shift)
	}
	i, err := b.push(s)
	b.done[value] = i
	return i, err
}

// rectified returns the unit, or the stem, that ends in n.
func (b *builder) rectified(n *node) (step, error) {
	if len(n.in) != 1 {
		return step{}, fmt.Errorf("%w: Relu of %d inputs", ErrModel, len(n.in))
	}
	last, err := b.node(n.in[0], "Conv")
	if err != nil {
		return step{}, err
	}
	if _, made := b.g.made[last.in[0]]; !made {
		c, groups, err := b.conv(last, 3, 2)
		if err == nil && (groups != 1 || len(c.weights) != 27*len(c.bias) || len(b.steps) > 0 || len(c.bias) == 0) {
			err = fmt.Errorf("%w: the first layer has %d weights and is not the only one", ErrModel, len(c.weights))
		}
		return step{kind: stem, cin: 3, cout: len(c.bias), shift: 1, pw: c}, err
	}
	in, pw, dw, err := b.separable(n.in[0])
	if err != nil {
		return step{}, err
	}
	from := b.steps[in]
	return step{kind: unit, in: in, cin: from.cout, cout: len(pw.bias), shift: from.shift, pw: pw, dw: dw}, nil
}

func (b *builder) pool(n *node) (step, error) {
	a := n.attrs
	two, none := []int64{2, 2}, []int64{0, 0, 0, 0}
	if len(n.in) != 1 || len(n.out) != 1 || !slices.Equal(a["kernel_shape"].ints, two) || !slices.Equal(a["strides"].ints, two) ||
		a["pads"].ints != nil && !slices.Equal(a["pads"].ints, none) || a["ceil_mode"].i != 0 || a["auto_pad"].s != "" || a["dilations"].ints != nil {
		return step{}, fmt.Errorf("%w: a pool that is not 2×2", ErrModel)
	}
	in, err := b.trace(n.in[0])
	if err != nil {
		return step{}, err
	}
	from := b.steps[in]
	return step{kind: pool, in: in, cin: from.cout, cout: from.cout, shift: from.shift + 1}, nil
}

// add returns the sum of a map and of one of half its size: each value of the latter
// counts for 2×2.
func (b *builder) add(n *node) (step, error) {
	if len(n.in) != 2 {
		return step{}, fmt.Errorf("%w: Add of %d inputs", ErrModel, len(n.in))
	}
	fine, coarse := n.in[0], n.in[1]
	if i, ok := b.g.made[fine]; ok && b.g.nodes[i].op == "Resize" {
		fine, coarse = coarse, fine
	}
	r, err := b.node(coarse, "Resize")
	if err != nil {
		return step{}, err
	}
	if len(r.in) != 3 || !slices.Equal(b.g.tensors[r.in[2]].floats, []float32{1, 1, 2, 2}) || r.attrs["mode"].s != "nearest" ||
		r.attrs["coordinate_transformation_mode"].s != "asymmetric" || r.attrs["nearest_mode"].s != "floor" {
		return step{}, fmt.Errorf("%w: a Resize that does not repeat each value", ErrModel)
	}
	s := step{kind: add}
	if s.in, err = b.trace(fine); err != nil {
		return step{}, err
	}
	if s.coarse, err = b.trace(r.in[0]); err != nil {
		return step{}, err
	}
	f, c := b.steps[s.in], b.steps[s.coarse]
	if f.cout != c.cout || f.shift+1 != c.shift || f.shift < minAdd {
		return step{}, fmt.Errorf("%w: a sum of maps of %d and %d channels", ErrModel, f.cout, c.cout)
	}
	s.cin, s.cout, s.shift = f.cout, f.cout, f.shift
	return s, nil
}
