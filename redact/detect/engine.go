package detect

import (
	"fmt"
	"image"

	"scrim/redact/infer"
)

// The engines that run the network.
const (
	// EngineAuto is EngineScrim where it can run the model with vector instructions
	// of the processor, else EngineOpenCV.
	EngineAuto = "auto"
	// EngineScrim is package infer: the same results in about a quarter of the
	// time (5.6 ms against 21.2 ms for 640×384).
	EngineScrim = "scrim"
	// EngineScrimAVX2 is EngineScrim without AVX-512: it shows what processors that
	// have only AVX2 take.
	EngineScrimAVX2 = "scrim-avx2"
	// EngineOpenCV is OpenCV's DNN module.
	EngineOpenCV = "opencv"
)

// engine runs the network. It is not safe for concurrent use.
type engine interface {
	// run returns the outputs for what lies in r, in the order of `outputs`. r is as
	// view.write has it. They are valid until the next call.
	run(v *view, r image.Rectangle) ([][]float32, error)
	// sides are those that inputs are to have; none: any does.
	sides() []int
	// name is for people.
	name() string
	// close frees all memory; what was closed may be used again.
	close()
}

// openEngine returns the engine that is asked for, and what an operator must
// know of it.
func openEngine(model []byte, which string) (e engine, warning string, err error) {
	if which == EngineOpenCV {
		return &nets{model: model}, "", nil
	}
	read := infer.Read
	if which == EngineScrimAVX2 {
		read = infer.ReadForAVX2
	}
	m, err := read(model)
	switch pick(which, err == nil, err == nil && m.Vector()) {
	case EngineScrim:
		return &kernels{net: m.NewNet(), path: m.Path()}, "", nil
	case EngineOpenCV:
		if err != nil {
			warning = "the detector runs on OpenCV and takes several times as long: " + err.Error()
		}
		return &nets{model: model}, warning, nil
	}
	return nil, "", fmt.Errorf("engine %s: %w; choose the engine %s", which, err, EngineOpenCV)
}

// pick returns EngineScrim or EngineOpenCV, by whether package infer knows the model
// and has vector instructions for it; "" where what was asked for cannot be. Without
// vector instructions it takes about as long as OpenCV, which is then the one that
// others know. That is no warning: on such a processor there is nothing better.
func pick(which string, known, vector bool) string {
	switch own := which == EngineScrim || which == EngineScrimAVX2; {
	case known && (own || vector):
		return EngineScrim
	case own:
		return ""
	}
	return EngineOpenCV
}

// kernels runs it on package infer.
type kernels struct {
	net     *infer.Net
	path    string
	picture infer.Picture
	outs    [][]float32
}

func (k *kernels) run(v *view, r image.Rectangle) (outs [][]float32, err error) {
	k.picture = infer.Picture{
		Y: v.y, U: v.u, V: v.v, YStride: v.ys, CStride: v.cs, Width: v.w, Height: v.h, Full: v.full,
	}
	k.outs, err = k.net.Run(&k.picture, r, k.outs)
	k.picture = infer.Picture{} // the planes belong to somebody else
	return k.outs, err
}

func (k *kernels) sides() []int { return nil }

func (k *kernels) name() string { return EngineScrim + " " + k.path }

func (k *kernels) close() { k.net.Shrink() }
