package camera

import (
	"fmt"
	"maps"
	"slices"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// slate is one that a redactor has prepared, as video or as a JPEG.
type slate struct {
	ipc.PreparedSlate
	data []byte
}

// check reports whether it is a slate, and within the bounds of the bus.
func (s *slate) check() error {
	limit := transport.MaxUnitBytes
	if s.Snapshot {
		limit = transport.MaxSnapshotBytes
	}
	if !isPicture(s.Width, s.Height, s.data, limit) || transport.CheckCodec(s.Codec) != nil || !slices.Contains(ipc.SlateKinds, s.Kind) {
		return fmt.Errorf("%w: invalid prepared slate of %d×%d, %d bytes", ipc.ErrProtocol, s.Width, s.Height, len(s.data))
	}
	return nil
}

// slateForm is what decoders are set up for. It is the same throughout an epoch.
type slateForm struct {
	codec         string
	width, height int
}

func (s *slate) form() slateForm { return slateForm{s.Codec, s.Width, s.Height} }

// slateKey is one kind of slate, as video or as a snapshot.
type slateKey struct {
	kind     ipc.SlateKind
	snapshot bool
}

// parts is how many slates are shown in turn.
func (k slateKey) parts() int {
	if k.snapshot {
		return 1
	}
	return ipc.SlateParts
}

// slateSet has the slates that are shown in turn, which are of the same size.
type slateSet map[slateKey][]slate

// keep adds a slate. With replace, the first part replaces those that are there.
func (s slateSet) keep(one slate, replace bool) {
	key := slateKey{one.Kind, one.Snapshot}
	have := s[key]
	if !replace && len(have) == key.parts() {
		return
	}
	if one.Part == 0 {
		have = nil
	}
	if len(have) < key.parts() {
		s[key] = append(have, one)
	}
}

// preparedSlates are a camera's. Those of the current redactor are preferred to earlier
// ones, and dropped when it violates the protocol: an attacker who controls a redactor
// controls its slates, too.
type preparedSlates struct {
	current, earlier slateSet
	turn             int
}

func newPreparedSlates() preparedSlates {
	return preparedSlates{current: make(slateSet), earlier: make(slateSet)}
}

// continueFrom takes over the slates of another camera.
func (p *preparedSlates) continueFrom(b *preparedSlates) {
	maps.Copy(p.earlier, b.earlier)
	maps.Copy(p.earlier, b.current)
}

// keep keeps a slate of the current redactor. One that has the camera's size replaces
// others; one that was made before that is known does not.
func (p *preparedSlates) keep(s slate, hasSize bool) {
	if hasSize || !p.has(slateKey{s.Kind, s.Snapshot}) {
		p.current.keep(s, hasSize)
	}
}

// retire is called when the current redactor has ended. Its slates are kept if they are
// trusted.
func (p *preparedSlates) retire(trusted bool) {
	if trusted {
		maps.Copy(p.earlier, p.current)
	}
	p.current = make(slateSet)
}

// list returns the slates of a kind that are shown in turn.
func (p *preparedSlates) list(kind ipc.SlateKind, snapshot bool) []slate {
	key := slateKey{kind, snapshot}
	if list := p.current[key]; len(list) > 0 {
		return list
	}
	return p.earlier[key]
}

func (p *preparedSlates) has(key slateKey) bool {
	return len(p.list(key.kind, key.snapshot)) >= key.parts()
}

// complete reports whether there are slates of every kind, in both forms.
func (p *preparedSlates) complete() bool {
	return !slices.ContainsFunc(ipc.SlateKinds, func(kind ipc.SlateKind) bool {
		return !p.has(slateKey{kind, false}) || !p.has(slateKey{kind, true})
	})
}

// next returns the next slate of a kind as video; nil: there is none.
func (p *preparedSlates) next(kind ipc.SlateKind) *slate {
	list := p.list(kind, false)
	if len(list) == 0 {
		return nil
	}
	p.turn++
	return &list[(p.turn-1)%len(list)]
}
