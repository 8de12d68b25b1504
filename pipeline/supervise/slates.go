package supervise

import (
	"fmt"
	"maps"

	"scrim/pipeline/wire"
	"scrim/transport"
)

// maxSlateKinds bounds the kinds of slates, of which there are a few.
const maxSlateKinds = 8

// slate is one that a redactor has coded beforehand, as video or as a JPEG.
type slate struct {
	wire.Spare
	data []byte
}

// check reports whether that is a slate.
func (s *slate) check() error {
	if s.Width <= 0 || s.Height <= 0 || s.Codec == "" || len(s.data) == 0 || s.Still && len(s.data) > transport.MaxStillBytes {
		return fmt.Errorf("%w: spare slate of %d×%d is not what a redactor makes", wire.ErrProtocol, s.Width, s.Height)
	}
	return nil
}

// slateForm is what decoders are set up for: it is one throughout an epoch.
type slateForm struct {
	codec         string
	width, height int
}

func (s *slate) form() slateForm { return slateForm{s.Codec, s.Width, s.Height} }

// preparedSlates are those of a camera, by kind. Those of one kind are of one size.
type preparedSlates struct {
	video map[wire.SpareClass][]slate // shown in turn
	jpeg  map[wire.SpareClass]slate
	turn  int
}

func newPreparedSlates() preparedSlates {
	return preparedSlates{video: make(map[wire.SpareClass][]slate), jpeg: make(map[wire.SpareClass]slate)}
}

// follow takes over those of another camera.
func (p *preparedSlates) follow(b *preparedSlates) {
	maps.Copy(p.video, b.video)
	maps.Copy(p.jpeg, b.jpeg)
}

// keep keeps one. Sized is set where it has the camera's size: those that are made
// before that is known replace none that are there.
func (p *preparedSlates) keep(s slate, sized bool) {
	if s.Still {
		if _, have := p.jpeg[s.Class]; !have && len(p.jpeg) < maxSlateKinds || have && sized {
			p.jpeg[s.Class] = s
		}
		return
	}
	have, known := p.video[s.Class]
	if !sized && len(have) >= wire.SpareParts || !known && len(p.video) >= maxSlateKinds {
		return
	}
	if s.Part == 0 {
		have = nil
	}
	if len(have) < wire.SpareParts {
		p.video[s.Class] = append(have, s)
	}
}

// complete reports whether there are slates of every kind, in both forms.
func (p *preparedSlates) complete() bool {
	for _, kind := range wire.SpareClasses {
		if len(p.video[kind]) < wire.SpareParts || p.jpeg[kind].data == nil {
			return false
		}
	}
	return true
}

// next returns the next one of a kind; nil: there is none.
func (p *preparedSlates) next(kind wire.SpareClass) *slate {
	parts := p.video[kind]
	if len(parts) == 0 {
		return nil
	}
	p.turn++
	return &parts[(p.turn-1)%len(parts)]
}
