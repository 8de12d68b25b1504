package cv

/*
#cgo pkg-config: opencv4
#cgo CXXFLAGS: -std=c++14 -O2
#include <stdlib.h>
#include "dnn.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"gocv.io/x/gocv"
)

// errBytes bounds the message of a C++ exception.
const errBytes = 512

// MaxInput bounds the side of a network's input, in pixels.
const MaxInput = 4096

// ErrClosed is returned for what was used after its Close.
var ErrClosed = errors.New("used after Close")

// SetThreads sets how many threads OpenCV may use within one call, for the
// whole process. Debian's build ignores the environment's OPENCV_FOR_THREADS_NUM.
func SetThreads(n int) { C.scrim_set_threads(C.int(n)) }

// Net is a neural network on OpenCV's DNN module. One Net must be used by one
// goroutine at a time: shared, it gives wrong results in silence.
type Net struct {
	p       unsafe.Pointer // cv::dnn::Net
	names   []*C.char
	lens    []C.int
	blob    gocv.Mat
	hasBlob bool
	in      []float32 // memory of blob
	w, h    int
	out     []float32
	msg     []C.char // of a C++ exception; here so that a picture allocates nothing
}

// ReadONNX returns the network in the bytes of an ONNX file, with the outputs
// of the given names, which the caller closes. A file that OpenCV cannot read
// is an error.
func ReadONNX(model []byte, outputs []string) (*Net, error) {
	if len(model) == 0 || len(outputs) == 0 {
		return nil, errors.New("network needs a model and outputs")
	}
	n := &Net{lens: make([]C.int, len(outputs)), msg: make([]C.char, errBytes)}
	//nolint:gocritic // of what cgo makes of it
	if C.scrim_net_read(unsafe.Pointer(&model[0]), C.size_t(len(model)), &n.p, &n.msg[0], errBytes) != 0 {
		return nil, fmt.Errorf("OpenCV cannot read the model: %s", plain(C.GoString(&n.msg[0])))
	}
	for _, name := range outputs {
		n.names = append(n.names, C.CString(name))
	}
	return n, nil
}

// plain returns what a person can use of an exception of OpenCV, which is
// "OpenCV(4.6.0) file.cpp:288: error: (-210:Kind) What. in function 'f'".
func plain(exception string) string {
	_, after, found := strings.Cut(exception, ": error: (")
	if !found {
		return exception
	}
	kind, what, found := strings.Cut(after, ") ")
	if !found {
		return exception
	}
	if what, _, _ = strings.Cut(what, " in function '"); what == "" {
		_, what, _ = strings.Cut(kind, ":")
	}
	return strings.TrimRight(what, ". ")
}

// Input returns the memory of the network's input of the given size in pixels,
// to be filled before Forward: three planes of height × width samples, in the
// order in which the model was trained. It belongs to the Net and is valid
// until its size changes or the Net is closed. outputs is the most floats that
// all outputs together may have.
func (n *Net) Input(width, height, outputs int) ([]float32, error) {
	switch {
	case n.p == nil:
		return nil, fmt.Errorf("network: %w", ErrClosed)
	case width < 1 || height < 1 || width > MaxInput || height > MaxInput || outputs < 1:
		return nil, fmt.Errorf("network input of %d×%d with %d outputs is out of bounds", width, height, outputs)
	case n.hasBlob && n.w == width && n.h == height:
		return n.in, nil
	}
	n.freeBlob()
	n.blob = gocv.NewMatWithSizes([]int{1, 3, height, width}, gocv.MatTypeCV32F)
	n.hasBlob = true
	in, err := n.blob.DataPtrFloat32()
	if err != nil || len(in) != 3*width*height {
		n.freeBlob()
		return nil, fmt.Errorf("memory for a network input of %d×%d: %w", width, height, err)
	}
	n.in, n.w, n.h = in, width, height
	n.out = slices.Grow(n.out[:0], outputs)[:outputs]
	return in, nil
}

// Forward runs the network on its input and returns the outputs in the order
// of their names. They are copies, valid until the next call.
func (n *Net) Forward(into [][]float32) ([][]float32, error) {
	switch {
	case n.p == nil:
		return nil, fmt.Errorf("network: %w", ErrClosed)
	case !n.hasBlob:
		return nil, errors.New("network has no input")
	}
	rc := C.scrim_net_forward(n.p, unsafe.Pointer(n.blob.Ptr()), &n.names[0], C.int(len(n.names)),
		(*C.float)(&n.out[0]), C.size_t(len(n.out)), &n.lens[0], &n.msg[0], errBytes)
	if rc != 0 {
		return nil, fmt.Errorf("OpenCV's DNN: %s", C.GoString(&n.msg[0]))
	}
	into, used := into[:0], 0
	for _, l := range n.lens {
		into = append(into, n.out[used:used+int(l)])
		used += int(l)
	}
	return into, nil
}

func (n *Net) freeBlob() {
	if n.hasBlob {
		_ = n.blob.Close()
		n.hasBlob, n.in = false, nil
	}
}

// Close frees the network; a second call does nothing.
func (n *Net) Close() {
	if n.p == nil {
		return
	}
	n.freeBlob()
	C.scrim_net_free(n.p)
	n.p = nil
	for _, name := range n.names {
		C.free(unsafe.Pointer(name))
	}
	n.names = nil
}
