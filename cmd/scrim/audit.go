package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"scrim/cmd/internal/audit"
	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
)

// AuditCmd identifies the vendors of cameras, and plans the isolation of flagged ones.
type AuditCmd struct {
	File string `arg:"" default:"scrim.yaml" help:"YAML file (${default})."`
	SetFlags
	Format      string        `default:"table" enum:"table,json,csv" help:"Output format: table, json or csv."`
	FlagVendors string        `placeholder:"FILE" help:"File with the vendors to flag, one per line, instead of audit.flag_vendors in the YAML file."`
	Isolate     string        `default:"flagged" enum:"flagged,all,none" help:"Cameras to isolate: flagged, all or none."`
	OUI         string        `name:"oui" placeholder:"PATH" help:"IEEE list of MAC vendors, or a folder of such lists. Default: the one of Debian's ieee-data."`
	Quiet       bool          `help:"Send nothing to the cameras: only addresses, routes and MAC vendors."`
	Timeout     time.Duration `default:"5s" placeholder:"TIME" help:"Time limit for each response of a camera (${default})."`
	ONVIFPort   uint16        `name:"onvif-port" default:"80" help:"Port of the cameras' ONVIF device service (${default})."`
}

// Run prints the audit.
func (c AuditCmd) Run(ctx context.Context, out io.Writer) error {
	cfg, missing, err := c.source(c.File).Inspect(config.CamerasPart)
	if err != nil {
		return err
	}
	o := audit.Options{OUI: c.OUI, Timeout: c.Timeout, Quiet: c.Quiet, ONVIFPort: c.ONVIFPort}
	if o.Vendors, err = c.vendors(cfg); err != nil {
		return err
	}
	var notes []string
	targets := make([]audit.Target, 0, len(cfg.Cameras))
	for i := range cfg.Cameras {
		cam := &cfg.Cameras[i]
		t := audit.Target{Name: string(cam.Name), URL: cam.Address(), UDP: cam.Transport == config.TransportUDP}
		if cam.Transport == config.TransportMulticast {
			notes = append(notes, fmt.Sprintf("camera %s: the isolation rules block multicast; set `transport: tcp`", cam.Name))
		}
		if cam.Password.IsSet() && cam.Password.Value() == "" {
			// The password cannot be read. An empty one must not be tried.
			t.URL.User = nil
		}
		targets = append(targets, t)
	}
	r, err := audit.Run(ctx, targets, o)
	if err != nil {
		return err
	}
	r.Notes = append(r.Notes, notes...)
	for _, err := range missing {
		r.Notes = append(r.Notes, fmt.Sprintf("%v; querying the camera without a password", err))
	}
	r.Plan = audit.NewPlan(r.Cameras, audit.Isolate(c.Isolate))
	switch c.Format {
	case "json":
		return cli.WriteJSON(out, r)
	case "csv":
		return r.WriteCSV(out)
	}
	return r.WriteTable(out)
}

// vendors returns the vendors to flag.
func (c AuditCmd) vendors(cfg *config.Config) ([]audit.Vendor, error) {
	if c.FlagVendors != "" {
		f, err := os.Open(c.FlagVendors)
		if err != nil {
			return nil, fmt.Errorf("--flag-vendors: %w", err)
		}
		defer f.Close()
		names, err := audit.ReadVendors(f)
		if err != nil {
			return nil, fmt.Errorf("--flag-vendors: %s: %w", c.FlagVendors, err)
		}
		return audit.Vendors(names), nil
	}
	if cfg.Audit.FlagVendors == nil {
		return audit.DefaultVendors(), nil
	}
	names := make([]string, len(cfg.Audit.FlagVendors))
	for i, v := range cfg.Audit.FlagVendors {
		names[i] = string(v)
	}
	return audit.Vendors(names), nil
}
