package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
