package ipc

import (
	"errors"
	"fmt"
	"strings"
)

// Protection is one of the things that keep a redactor from doing harm when a
// camera's bytes have taken it over.
type Protection struct {
	// Name is one word, such as "seccomp".
	Name string `json:"name"`
	// Holds says whether it was tried, and held.
	Holds bool `json:"holds"`
	// Detail says more, or why it does not hold.
	Detail string `json:"detail,omitempty"`
}

// Sandbox is all of them.
type Sandbox []Protection

// ErrUnprotected is wrapped by the error of Sandbox.Check.
var ErrUnprotected = errors.New("the redactor is not confined")

// Holding names the protections that hold.
func (s Sandbox) Holding() []string {
	var out []string
	for _, p := range s {
		if p.Holds {
			out = append(out, p.Name)
		}
	}
	return out
}

// Missing names those that do not, each with the reason.
func (s Sandbox) Missing() []string {
	var out []string
	for _, p := range s {
		if !p.Holds {
			out = append(out, p.Name+": "+p.Detail)
		}
	}
	return out
}

// Check returns an error that names what is missing.
func (s Sandbox) Check() error {
	if missing := s.Missing(); len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrUnprotected, strings.Join(missing, "; "))
	}
	if len(s) == 0 {
		return ErrUnprotected
	}
	return nil
}
