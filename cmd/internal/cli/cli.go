// Package cli has what the command lines of Scrim's programs share: exit status, and
// types of flags.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"scrim/transport"
)

// ErrReported is returned if the program has already printed its error: status 1, no line.
var ErrReported = errors.New("the error was already printed")

// StatusError is an error with which a program ends with another status than 1.
type StatusError struct {
	Status int
	Err    error
}

func (e *StatusError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *StatusError) Unwrap() error { return e.Err }

// maxErrorBytes bounds a printed error.
const maxErrorBytes = 8 << 10

// Main runs a program, and exits with its status. An interrupt or SIGTERM ends ctx; a
// second one ends the process immediately.
func Main(program string, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Status(ctx, program, run(ctx), os.Stderr))
}

// Parse parses arguments into line, a struct with kong's tags.
func Parse(line any, program, description string, args []string, stdout, stderr io.Writer) (*kong.Context, error) {
	parser, err := kong.New(line, kong.Name(program), kong.Description(description), kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return nil, fmt.Errorf("%w; see %s --help", err, program)
	}
	return parsed, nil
}

// Status returns the exit status of a program that ends with err. It prints the error
// as one line on stderr, after the program's name.
func Status(ctx context.Context, program string, err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrReported):
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, program+": interrupted")
	default:
		fmt.Fprintln(stderr, program+": "+transport.Plain(err.Error(), maxErrorBytes))
	}
	if s, ok := errors.AsType[*StatusError](err); ok {
		return s.Status
	}
	return 1
}

// Size is the size of a picture in pixels, written as 1280x720. Both numbers are even:
// pictures with chroma subsampling need that.
type Size struct{ W, H int }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	w, h, ok := strings.Cut(strings.ToLower(string(text)), "x")
	var err1, err2 error
	s.W, err1 = strconv.Atoi(w)
	s.H, err2 = strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || s.W%2 != 0 || s.H%2 != 0 {
		return fmt.Errorf("invalid size %q: must be two even numbers, such as 1280x720", text)
	}
	return nil
}
