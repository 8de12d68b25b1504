package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"text/tabwriter"

	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/cmd/internal/programs"
	"scrim/models"
)

// ConfigCmd works with configuration files.
type ConfigCmd struct {
	Check  ConfigCheckCmd  `cmd:"" help:"Check a configuration file, including the variables and flags that override it."`
	Schema ConfigSchemaCmd `cmd:"" help:"Print the JSON Schema of the file, for completion and checks in editors."`
	Env    ConfigEnvCmd    `cmd:"" help:"List the environment variables that override settings of a file."`
}

// ConfigCheckCmd checks a configuration file.
type ConfigCheckCmd struct {
	File string `arg:"" help:"YAML file."`
	SetFlags
}

// Run prints the effective settings, one line per camera, and warnings, such as
// secrets that cannot be read.
func (c ConfigCheckCmd) Run(out io.Writer) error {
	cfg, missing, err := c.source(c.File).Inspect(config.CamerasPart | config.HTTPPart)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for i := range cfg.Cameras {
		cam := &cfg.Cameras[i]
		fmt.Fprintf(&text, "camera %s: %s over %s, cover %s, %s\n", cam.Name, cam.URL, cam.Transport, cam.Cover, cam.Obscure.Style)
		for k := range cam.Zones {
			fmt.Fprintf(&text, "camera %s: zone %s\n", cam.Name, cam.Zones[k].String())
		}
	}
	for _, err := range missing {
		fmt.Fprintf(&text, "warning: %v; a program that needs it will not start\n", err)
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintf(&text, "warning: %s\n", w)
	}
	if _, err := certificate(cfg.RTSPServer.TLS); err != nil {
		fmt.Fprintf(&text, "warning: %v; a gateway will not start on this machine\n", err)
	}
	printDetector(&text, cfg.Model, models.BuiltIn())
	fmt.Fprintf(&text, "%s is valid; site: %s, cameras: %d\n", c.File, cfg.Site, len(cfg.Cameras))
	_, err = text.WriteTo(out)
	return err
}

// printDetector prints the model that is used and, if it is the built-in one, where it
// covers fewer faces than wanted, and how to change that.
func printDetector(out *bytes.Buffer, model config.Model, card models.Card) {
	found, err := programs.Detector(model, slog.New(slog.DiscardHandler))
	if err != nil {
		fmt.Fprintf(out, "warning: %v; a worker will not start on this machine\n", err)
		return
	}
	fmt.Fprintf(out, "detector: %s, %s\n", found.ModelName, cmp.Or(found.Model, "built in"))
	if found.ModelName != card.Name {
		return
	}
	for _, m := range card.Short() {
		fmt.Fprintf(out, "note: detector %s covers %.0f %% of the faces under %q, less than the %.0f %% wanted; "+
			"models/training/release.py in the source installs better weights\n", card.Name, m.Covered, m.Name, m.Wanted)
	}
	for _, line := range card.FallsShort {
		fmt.Fprintf(out, "note: detector %s: %s\n", card.Name, line)
	}
}

// ConfigEnvCmd lists the variables of a configuration.
type ConfigEnvCmd struct {
	File string `arg:"" help:"YAML file."`
	SetFlags
}

// Run prints each variable with the path of its setting.
func (c ConfigEnvCmd) Run(out io.Writer) error {
	cfg, _, err := c.source(c.File).Inspect(0)
	if err != nil {
		return err
	}
	names := cfg.Variables()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(w, "%s\t%s\n", name, names[name])
	}
	return w.Flush()
}

// ConfigSchemaCmd prints the schema of the file.
type ConfigSchemaCmd struct{}

// Run prints it as JSON.
func (ConfigSchemaCmd) Run(out io.Writer) error {
	s, err := config.FileSchema()
	if err != nil {
		return err
	}
	return cli.WriteJSON(out, s)
}
