package detect

import (
	"image"

	"scrim/redact/cv"
)

// maxNets bounds the networks of one detector; each takes 2 to 16 MiB.
const maxNets = 12

// nets runs YuNet on OpenCV. It holds one network for each size of input: to change that of a network
// costs about 5 ms, a quarter of a picture. The one that was not used for
// longest makes room.
type nets struct {
	model []byte
	all   []sizedNet
	turn  uint64
	outs  [][]float32
}

type sizedNet struct {
	net  *cv.Net
	w, h int
	used uint64
}

// get returns the network for an input of w×h pixels, and that input.
func (n *nets) get(w, h int) (*cv.Net, []float32, error) {
	n.turn++
	oldest := 0
	for i := range n.all {
		if s := &n.all[i]; s.w == w && s.h == h {
			return n.use(i)
		}
		if n.all[i].used < n.all[oldest].used {
			oldest = i
		}
	}
	if len(n.all) < maxNets {
		net, err := cv.ReadONNX(n.model, outputs)
		if err != nil {
			return nil, nil, err
		}
		oldest = len(n.all)
		n.all = append(n.all, sizedNet{net: net})
	}
	n.all[oldest].w, n.all[oldest].h = w, h
	return n.use(oldest)
}

func (n *nets) use(i int) (*cv.Net, []float32, error) {
	s := &n.all[i]
	s.used = n.turn
	blob, err := s.net.Input(s.w, s.h, cells(s.w, s.h)*(1+1+4))
	return s.net, blob, err
}

// run implements engine.
func (n *nets) run(v *view, r image.Rectangle) ([][]float32, error) {
	net, blob, err := n.get(r.Dx(), r.Dy())
	if err != nil {
		return nil, err
	}
	if err := v.write(blob, r); err != nil {
		return nil, err
	}
	n.outs, err = net.Forward(n.outs)
	return n.outs, err
}

func (n *nets) sides() []int { return fewSides }

func (n *nets) name() string { return EngineOpenCV }

func (n *nets) close() {
	for i := range n.all {
		n.all[i].net.Close()
	}
	n.all = nil
}
