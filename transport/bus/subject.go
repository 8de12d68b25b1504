package bus

import (
	"fmt"
	"strings"

	"scrim/transport"
)

// prefix begins every subject; v1 is the version of subjects and headers.
const prefix = "scrim.v1."

// Kind is the kind of message on a subject.
type Kind string

// The kinds of subjects.
const (
	KindVideo    Kind = "video"
	KindStatus   Kind = "status"
	KindEvents   Kind = "events"
	KindKeyframe Kind = "request.keyframe"
	KindSnapshot Kind = "request.snapshot"
)

// Address is a parsed subject.
type Address struct {
	Site, Camera string
	Kind         Kind
	// Rendition is set for KindVideo only.
	Rendition string
}

// Check reports whether the address can be written as a subject.
func (a Address) Check() error {
	if err := transport.CheckName(a.Site); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	if err := transport.CheckName(a.Camera); err != nil {
		return fmt.Errorf("camera: %w", err)
	}
	switch a.Kind {
	case KindVideo:
		if err := transport.CheckName(a.Rendition); err != nil {
			return fmt.Errorf("rendition: %w", err)
		}
	case KindStatus, KindEvents, KindKeyframe, KindSnapshot:
		if a.Rendition != "" {
			return fmt.Errorf("subject of kind %q has no rendition", a.Kind)
		}
	default:
		return fmt.Errorf("unknown kind %.40q of subject", a.Kind)
	}
	return nil
}

// Subject returns the address as a NATS subject. The address must pass Check.
func (a Address) Subject() string {
	s := prefix + a.Site + "." + a.Camera + "." + string(a.Kind)
	if a.Rendition != "" {
		s += "." + a.Rendition
	}
	return s
}

// ParseSubject parses a subject. It fails for every subject that Subject would not
// return.
func ParseSubject(subject string) (Address, error) {
	rest, ok := strings.CutPrefix(subject, prefix)
	if !ok {
		return Address{}, fmt.Errorf("subject %.80q does not begin with %s", subject, prefix)
	}
	var a Address
	var kind string
	a.Site, rest, _ = strings.Cut(rest, ".")
	a.Camera, kind, _ = strings.Cut(rest, ".")
	if rendition, ok := strings.CutPrefix(kind, string(KindVideo)+"."); ok {
		kind, a.Rendition = string(KindVideo), rendition
	}
	a.Kind = Kind(kind)
	if err := a.Check(); err != nil {
		return Address{}, fmt.Errorf("subject %.80q: %w", subject, err)
	}
	return a, nil
}
