// Package cli is what command lines of Scrim's programs have in common: how they
// end, and values that several of them take.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"scrim/transport"
)

// ErrSaid ends a program that has printed what is wrong: with status 1 and no line.
var ErrSaid = errors.New("what is wrong has been printed")

// maxErrorBytes bounds what is printed of an error.
const maxErrorBytes = 8 << 10

// Status returns the exit status of a program that has ended with err. An error
// is one line on stderr, after the program's name.
func Status(ctx context.Context, program string, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrSaid):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, program+": interrupted")
	default:
		fmt.Fprintln(stderr, program+": "+transport.Plain(err.Error(), maxErrorBytes))
	}
	return 1
}

// Size is a picture's in pixels, written as 1280x720. Both numbers are even, as
// pictures with half as much colour need.
type Size struct{ W, H int }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	w, h, ok := strings.Cut(strings.ToLower(string(text)), "x")
	var err1, err2 error
	s.W, err1 = strconv.Atoi(w)
	s.H, err2 = strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || s.W%2 != 0 || s.H%2 != 0 {
		return fmt.Errorf("size %q must be two even numbers, such as 1280x720", text)
	}
	return nil
}
