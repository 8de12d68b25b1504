package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"scrim/pipeline/atomicfile"
)

// Output are the flags of commands that measure something.
type Output struct {
	JSON string `name:"json" placeholder:"FILE" help:"Write all results as JSON; - prints them instead of the table."`
	HTML string `name:"html" placeholder:"FILE" help:"Write a self-contained page with plots."`
}

// Result is what such a command measures.
type Result interface {
	WriteTable(w io.Writer) error
	WriteHTML(w io.Writer) error
}

// Check checks before a long measurement that the files can be written.
func (o Output) Check() error {
	for flag, path := range map[string]string{"--json": o.JSON, "--html": o.HTML} {
		if path == "" || flag == "--json" && path == "-" {
			continue
		}
		if err := atomicfile.Check(path); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// Write prints the table of a result, or its JSON, and writes the files.
func (o Output) Write(out io.Writer, r Result) error {
	asJSON := func(w io.Writer) error { return WriteJSON(w, r) }
	if o.HTML != "" {
		if err := atomicfile.Write(o.HTML, r.WriteHTML); err != nil {
			return err
		}
	}
	switch o.JSON {
	case "":
	case "-":
		return asJSON(out)
	default:
		if err := atomicfile.Write(o.JSON, asJSON); err != nil {
			return err
		}
	}
	return r.WriteTable(out)
}

// WriteJSON prints a value as indented JSON.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
