package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"scrim/cmd/internal/programs"
	"scrim/pipeline/redactorproc"
)

// SandboxCmd lists the protections that confine redactors on this machine.
type SandboxCmd struct {
	Redactor string `help:"Path of scrim-redactor. Default: next to this program." placeholder:"FILE"`
}

// Run prints the protections, and fails if one is missing.
func (c SandboxCmd) Run(ctx context.Context, out io.Writer) error {
	program, err := programs.Find("scrim-redactor", "--redactor", c.Redactor)
	if err != nil {
		return err
	}
	protections, err := redactorproc.CheckSandbox(ctx, program)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range protections {
		state := "holds"
		if !p.Holds {
			state = "MISSING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, state, p.Detail)
	}
	return errors.Join(w.Flush(), protections.Check())
}

// confinement finds out what confines the redactors, and says it. It is an error
// when something is missing that the configuration requires.
func (w *worker) confinement(ctx context.Context, require bool) error {
	said, err := redactorproc.CheckSandbox(ctx, w.redactor)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it was asked to end
	}
	if err == nil {
		err = said.Check()
	}
	holding := strings.Join(said.Holding(), " ")
	switch {
	case err == nil:
		w.log.Info("redactors are confined", "sandbox", holding)
	case require:
		return fmt.Errorf("%w; `scrim sandbox` shows what this machine has; leave out require_sandbox to go on without the rest", err)
	default:
		w.log.Warn("redactors are not fully confined", "sandbox", holding, "error", err)
	}
	return nil
}
