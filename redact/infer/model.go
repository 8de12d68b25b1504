package infer

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wno-psabi
#include "net.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"slices"
	"unsafe"
)

// Step is what both sides of a network's input must be a multiple of.
const Step = 32

// MaxSide bounds the sides of a network's input and of a picture, in pixels.
const MaxSide = 4096

// maxWork limits the working memory of a Net in bytes. YuNet needs about 100 MB for
// the largest input; a malicious file may need gigabytes.
const maxWork = 256 << 20

// ErrRange is wrapped by errors about a network whose values leave all bounds.
var ErrRange = errors.New("the network's values are out of range")

// path is a way to compute: an instruction set of the processor, with or without
// 16-bit products.
type path struct {
	name  string
	id    C.int
	quant bool
}

// paths lists all paths, the fastest first. Products of 16-bit integers take half the
// time of floats if an instruction adds up two of them.
var paths = [...]path{
	{"avx512", C.SCRIM_AVX512, true},
	{"avx2", C.SCRIM_AVX2, true},
	{"avx512 floats", C.SCRIM_AVX512, false},
	{"avx2 floats", C.SCRIM_AVX2, false},
	{"generic", C.SCRIM_GENERIC, false},
}

func (p path) usable() bool { return C.scrim_has(p.id) != 0 }

// Model is a network's weights, ready to run. It never changes and is safe for
// concurrent use.
type Model struct {
	path    path
	plan    *C.scrim_plan
	weights []byte
}

// Read returns the network in the bytes of an ONNX file. It uses the fastest path whose
// results on a small picture are those of the generic one. An error wraps ErrModel.
func Read(onnx []byte) (*Model, error) { return readOn(onnx, paths[:]) }

// ReadForAVX2 is Read without the paths for AVX-512. It fails if the processor does not
// have AVX2.
func ReadForAVX2(onnx []byte) (*Model, error) {
	var older []path
	for _, p := range paths {
		if p.id != C.SCRIM_AVX512 {
			older = append(older, p)
		}
	}
	if !older[0].usable() {
		return nil, errors.New("this processor does not have AVX2 and FMA")
	}
	return readOn(onnx, older)
}

// readOn is Read with these paths, the fastest first, the generic one last.
func readOn(onnx []byte, paths []path) (*Model, error) {
	steps, err := understand(onnx)
	if err != nil {
		return nil, err
	}
	plain, err := build(steps, paths[len(paths)-1])
	if err != nil {
		return nil, err
	}
	want, err := plain.try()
	if err != nil {
		return nil, err
	}
	for _, p := range paths[:len(paths)-1] {
		if !p.usable() {
			continue
		}
		m, err := build(steps, p)
		if err != nil {
			return nil, err
		}
		if got, err := m.try(); err == nil && alike(got, want) {
			return m, nil
		}
	}
	return plain, nil
}

func understand(onnx []byte) ([]step, error) {
	g, err := parse(onnx)
	if err != nil {
		return nil, err
	}
	return compile(g)
}

func build(steps []step, p path) (m *Model, err error) {
	m = &Model{path: p}
	m.plan, m.weights, err = pack(steps, p.quant)
	return m, err
}

// try runs the model on a picture of stripes and returns all scores.
func (m *Model) try() ([]float32, error) {
	const side = 64
	p := &Picture{Width: side, Height: side, YStride: side, CStride: side / 2, Full: true}
	p.Y, p.U, p.V = make([]byte, side*side), make([]byte, side*side/4), make([]byte, side*side/4)
	for i := range p.Y {
		p.Y[i] = byte(i*i/side ^ i)
	}
	for i := range p.U {
		p.U[i], p.V[i] = byte(64+i%128), byte(192-i%128)
	}
	n := m.NewNet()
	if _, err := n.Run(p, image.Rect(0, 0, side, side), nil); err != nil {
		return nil, err
	}
	return n.out[:2*Cells(side, side)], nil
}

// alike reports whether scores are the same except for rounding.
func alike(a, b []float32) bool {
	const most = 0.02
	for i, v := range a {
		if d := v - b[i]; !(d < most && d > -most) {
			return false
		}
	}
	return len(a) == len(b)
}

// Path returns the name of the path that is used.
func (m *Model) Path() string { return m.path.name }

// Vector reports whether the path uses AVX2 or AVX-512. The generic one takes several
// times as long.
func (m *Model) Vector() bool { return m.path.id != C.SCRIM_GENERIC }

// Net is the working memory for a Model: about 3 MB for 640×384, and at most maxWork.
// It must be used by one goroutine at a time.
type Net struct {
	m    *Model
	work []byte
	out  []float32
	in   C.scrim_input
}

// NewNet returns a Net.
func (m *Model) NewNet() *Net { return &Net{m: m} }

// Shrink frees the memory that past runs have needed. The next one allocates it again.
func (n *Net) Shrink() { n.work, n.out = nil, nil }

// Picture is a picture in YUV 4:2:0 in the caller's memory, which is only read.
type Picture struct {
	Y, U, V          []byte
	YStride, CStride int // bytes in a row
	Width, Height    int
	Full             bool // samples go from 0 to 255
}

func (p *Picture) check() error {
	cw, ch := (p.Width+1)/2, (p.Height+1)/2
	switch {
	case p.Width < 1 || p.Height < 1 || p.Width > MaxSide || p.Height > MaxSide || p.YStride < p.Width || p.CStride < cw ||
		p.YStride > 1<<20 || p.CStride > 1<<20:
		return fmt.Errorf("picture of %d×%d with rows of %d and %d bytes is out of bounds", p.Width, p.Height, p.YStride, p.CStride)
	case len(p.Y) < p.YStride*(p.Height-1)+p.Width || len(p.U) < p.CStride*(ch-1)+cw || len(p.V) < p.CStride*(ch-1)+cw:
		return fmt.Errorf("picture of %d×%d has planes of only %d, %d and %d bytes", p.Width, p.Height, len(p.Y), len(p.U), len(p.V))
	}
	return nil
}

// Cells returns how many cells the three scales of an input have together.
func Cells(width, height int) (n int) {
	for _, s := range strides {
		n += width / s * (height / s)
	}
	return n
}

// work returns how many bytes of working memory a run needs.
func (m *Model) work(width, height int) int {
	return int(C.scrim_bytes(m.plan, C.int(width), C.int(height))) //nolint:gosec // gigabytes at most
}

// Run runs the network on a rectangle of a picture, which begins at even
// coordinates, has sides that are multiples of Step, and overlaps the picture.
// Where it reaches outside, the picture's border is repeated.
//
// It returns the outputs in into, for the strides 8, 16 and 32 each: class
// scores, then objectness, then boxes. They are valid until the next call. In
// steady state nothing is allocated.
func (n *Net) Run(p *Picture, r image.Rectangle, into [][]float32) ([][]float32, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	w, h := r.Dx(), r.Dy()
	if w < Step || h < Step || w > MaxSide || h > MaxSide || w%Step != 0 || h%Step != 0 || r.Min.X&1 != 0 || r.Min.Y&1 != 0 ||
		!r.Overlaps(image.Rect(0, 0, p.Width, p.Height)) {
		return nil, fmt.Errorf("network input %v of a picture of %d×%d is out of bounds", r, p.Width, p.Height)
	}
	work := n.m.work(w, h)
	if work > maxWork {
		return nil, fmt.Errorf("%w: it needs %d MB for an input of %d×%d, and may have %d", ErrModel, work>>20, w, h, maxWork>>20)
	}
	if len(n.work) < work {
		n.work = aligned(work)
	}
	cells := Cells(w, h)
	n.out = slices.Grow(n.out[:0], headValues*cells)[:headValues*cells]
	n.in = C.scrim_input{
		width: C.int32_t(p.Width), height: C.int32_t(p.Height), ystride: C.int32_t(p.YStride), cstride: C.int32_t(p.CStride),
		left: C.int32_t(r.Min.X), top: C.int32_t(r.Min.Y), w: C.int32_t(w), h: C.int32_t(h),
	}
	if p.Full {
		n.in.full = 1
	}
	rc := C.scrim_run(n.m.path.id, n.m.plan, unsafe.Pointer(&n.m.weights[0]), unsafe.Pointer(&n.work[0]), &n.in,
		(*C.uint8_t)(&p.Y[0]), (*C.uint8_t)(&p.U[0]), (*C.uint8_t)(&p.V[0]), (*C.float)(&n.out[0]))
	switch rc {
	case C.SCRIM_RANGE:
		return nil, ErrRange
	case C.SCRIM_ORDER:
		return nil, fmt.Errorf("%w: a sum of maps whose coarse one does not come from the fine one", ErrModel)
	}
	into, at := into[:0], 0
	for _, o := range outputs {
		for _, s := range strides {
			size := o.channels * (w / s) * (h / s)
			into = append(into, n.out[at:at+size:at+size])
			at += size
		}
	}
	return into, nil
}
