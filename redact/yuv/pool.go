package yuv

import "sync"

// Pool recycles Images of one size at a time, so that the hot path allocates
// none in steady state. It is safe for concurrent use.
type Pool struct {
	mu   sync.Mutex
	free []*Image
}

// maxFree bounds the Images that a Pool keeps for later: about as many as a pipeline
// has under way when it falls behind. One of 1920×1080 takes 3 MB.
const maxFree = 5

// Get returns an Image of the given size, whose samples are undefined. It
// fails as New does.
func (p *Pool) Get(width, height int) (*Image, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := len(p.free); n > 0; n = len(p.free) {
		im := p.free[n-1]
		p.free = p.free[:n-1]
		if im.Width == width && im.Height == height {
			return im, nil
		}
	}
	return New(width, height)
}

// Put gives im back. The caller must not use it afterwards.
func (p *Pool) Put(im *Image) {
	if im == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < maxFree {
		p.free = append(p.free, im)
	}
}
