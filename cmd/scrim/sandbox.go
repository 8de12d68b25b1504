package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"text/tabwriter"
	"time"

	"scrim/cmd/internal/programs"
	"scrim/pipeline/ipc"
)

const (
	// sandboxTimeout is what a redactor gets to say how it is protected.
	sandboxTimeout = 20 * time.Second
	// maxSandboxBytes bounds what it says.
	maxSandboxBytes = 64 << 10
)

// SandboxCmd says how this machine confines redactors.
type SandboxCmd struct {
	Redactor string `help:"Path of scrim-redactor. Default: beside this program." placeholder:"FILE"`
}

// Run prints which protections hold, and fails when one does not.
func (c SandboxCmd) Run(ctx context.Context, out io.Writer) error {
	program, err := programs.Find("scrim-redactor", "--redactor", c.Redactor)
	if err != nil {
		return err
	}
	said, err := askSandbox(ctx, program)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range said {
		state := "holds"
		if !p.Holds {
			state = "MISSING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, state, p.Detail)
	}
	return errors.Join(w.Flush(), said.Check())
}

// askSandbox starts a redactor that confines itself as one of a camera does, makes
// sure that it cannot do what it should not, says so, and ends.
func askSandbox(ctx context.Context, program string) (ipc.Sandbox, error) {
	ctx, cancel := context.WithTimeout(ctx, sandboxTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--sandbox-check") //nolint:gosec // the program beside this one
	cmd.Env = []string{"MALLOC_ARENA_MAX=2"}
	cmd.WaitDelay = time.Second
	said, words := &programs.Words{Most: maxSandboxBytes}, &programs.Words{Most: maxRedactorWords}
	cmd.Stdout, cmd.Stderr = said, words
	var s ipc.Sandbox
	err := cmd.Run()
	if err == nil {
		err = json.Unmarshal([]byte(said.String()), &s)
	}
	if err != nil {
		line, _, _ := strings.Cut(words.String(), "\n")
		return nil, fmt.Errorf("%s does not say how it is confined: %w %s", program, err, line)
	}
	return s, nil
}

// confinement finds out what confines the redactors, and says it. It is an error
// when something is missing that the configuration requires.
func (w *worker) confinement(ctx context.Context, require bool) error {
	said, err := askSandbox(ctx, w.redactor)
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
