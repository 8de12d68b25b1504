package ipc

import (
	"errors"
	"fmt"
	"strings"
)

// Protection is one layer of the sandbox that limits a redactor compromised by
// malicious video.
type Protection struct {
	// Name is one word, such as "seccomp".
	Name string `json:"name"`
	// Holds is set when the protection was tested and is in force.
	Holds bool `json:"holds"`
	// Detail says more, or why it is not in force.
	Detail string `json:"detail,omitempty"`
}

// Sandbox lists all protections.
type Sandbox []Protection

// ErrUnprotected is wrapped by the error of Sandbox.Check.
var ErrUnprotected = errors.New("the redactor is not confined")

// Holding returns the names of the protections in force.
func (s Sandbox) Holding() []string {
	var out []string
	for _, p := range s {
		if p.Holds {
			out = append(out, p.Name)
		}
	}
	return out
}

// Missing returns the names of the others, each with the reason.
func (s Sandbox) Missing() []string {
	var out []string
	for _, p := range s {
		if !p.Holds {
			out = append(out, p.Name+": "+p.Detail)
		}
	}
	return out
}

// Check returns an error that names the missing protections.
func (s Sandbox) Check() error {
	if missing := s.Missing(); len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrUnprotected, strings.Join(missing, "; "))
	}
	if len(s) == 0 {
		return ErrUnprotected
	}
	return nil
}
