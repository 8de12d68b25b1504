package camera

import (
	"fmt"
	"maps"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// slate is one that a redactor has coded beforehand, as video or as a JPEG.
type slate struct {
	ipc.PreparedSlate
	data []byte
}

// check reports whether that is a slate, and one that the bus takes.
func (s *slate) check() error {
	limit := transport.MaxUnitBytes
	if s.Snapshot {
		limit = transport.MaxSnapshotBytes
	}
	if !isPicture(s.Width, s.Height, s.data, limit) || transport.CheckCodec(s.Codec) != nil || !slices.Contains(ipc.SlateKinds, s.Kind) {
		return fmt.Errorf("%w: spare slate of %d×%d, %d bytes, is not what a redactor makes", ipc.ErrProtocol, s.Width, s.Height, len(s.data))
	}
	return nil
}

// slateForm is what decoders are set up for: it is one throughout an epoch.
type slateForm struct {
	codec         string
	width, height int
}

func (s *slate) form() slateForm { return slateForm{s.Codec, s.Width, s.Height} }

// slateSet has slates by kind. Those of one kind are of one size.
type slateSet struct {
	video map[ipc.SlateKind][]slate // shown in turn
	jpeg  map[ipc.SlateKind]slate
}

func newSlateSet() slateSet {
	return slateSet{video: make(map[ipc.SlateKind][]slate), jpeg: make(map[ipc.SlateKind]slate)}
}

// add replaces what there is by those of another set.
func (s *slateSet) replaceFrom(b *slateSet) {
	maps.Copy(s.video, b.video)
	maps.Copy(s.jpeg, b.jpeg)
}

// keep keeps one. Sized is set where it may replace one.
func (s *slateSet) keep(one slate, sized bool) {
	if one.Snapshot {
		if _, have := s.jpeg[one.Kind]; !have || sized {
			s.jpeg[one.Kind] = one
		}
		return
	}
	have := s.video[one.Kind]
	if !sized && len(have) >= ipc.SlateParts {
		return
	}
	if one.Part == 0 {
		have = nil
	}
	if len(have) < ipc.SlateParts {
		s.video[one.Kind] = append(have, one)
	}
}

// preparedSlates are those of a camera. What the present redactor has made is shown
// rather than what was there before, and forgotten when it violates the protocol: who
// has taken one over makes slates with it as well.
type preparedSlates struct {
	current, earlier slateSet
	turn             int
}

func newPreparedSlates() preparedSlates {
	return preparedSlates{current: newSlateSet(), earlier: newSlateSet()}
}

// follow takes over those of another camera.
func (p *preparedSlates) continueFrom(b *preparedSlates) {
	p.earlier.replaceFrom(&b.earlier)
	p.earlier.replaceFrom(&b.current)
}

// keep keeps one of the present redactor. Sized is set where it has the camera's size:
// those that are made before that is known replace none that are there.
func (p *preparedSlates) keep(s slate, sized bool) {
	if _, still := p.snapshot(s.Kind); sized || s.Snapshot && !still || !s.Snapshot && len(p.parts(s.Kind)) < ipc.SlateParts {
		p.current.keep(s, sized)
	}
}

// share keeps one that all cameras have, unless there is one.
func (p *preparedSlates) share(s slate) { p.earlier.keep(s, false) }

// ended is called when the present redactor is no more, and says whether to trust what
// it has made.
func (p *preparedSlates) retire(trusted bool) {
	if trusted {
		p.earlier.replaceFrom(&p.current)
	}
	p.current = newSlateSet()
}

// of returns those of a kind that are shown in turn.
func (p *preparedSlates) parts(kind ipc.SlateKind) []slate {
	if list := p.current.video[kind]; len(list) > 0 {
		return list
	}
	return p.earlier.video[kind]
}

// still returns the one of a kind that is a JPEG; false: there is none.
func (p *preparedSlates) snapshot(kind ipc.SlateKind) (slate, bool) {
	if s, ok := p.current.jpeg[kind]; ok {
		return s, true
	}
	s, ok := p.earlier.jpeg[kind]
	return s, ok
}

// complete reports whether there are slates of every kind, in both forms.
func (p *preparedSlates) complete() bool {
	for _, kind := range ipc.SlateKinds {
		if _, still := p.snapshot(kind); !still || len(p.parts(kind)) < ipc.SlateParts {
			return false
		}
	}
	return true
}

// next returns the next one of a kind; nil: there is none.
func (p *preparedSlates) next(kind ipc.SlateKind) *slate {
	list := p.parts(kind)
	if len(list) == 0 {
		return nil
	}
	p.turn++
	return &list[(p.turn-1)%len(list)]
}
