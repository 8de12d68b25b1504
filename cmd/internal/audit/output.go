package audit

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
)

// WriteTable prints the result and the plan as text.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CAMERA\tADDRESS\tVENDOR\tMODEL\tFIRMWARE\tMAC\tFLAGGED")
	flagged := 0
	for i := range r.Cameras {
		c := &r.Cameras[i]
		flag := "-"
		if c.Flag != nil {
			flagged++
			if flag = c.Flag.Vendor; c.Flag.Sign {
				flag = "looks like " + flag
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Name, cmp.Or(join(c.Addresses), "-"), cmp.Or(c.Vendor, "unknown"),
			cmp.Or(c.Device.Model, "-"), cmp.Or(c.Device.Firmware, "-"), cmp.Or(c.MAC, "-"), flag)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for i := range r.Cameras {
		c := &r.Cameras[i]
		if c.Flag != nil {
			fmt.Fprintf(w, "camera %s: flagged as %s, by %s: %s\n", c.Name, c.Flag.Vendor, c.Flag.Evidence, c.Flag.Why)
		}
		for _, n := range c.Notes {
			fmt.Fprintf(w, "camera %s: %s\n", c.Name, n)
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	_, err := fmt.Fprintf(w, "%d of %d cameras are of flagged vendors\n", flagged, len(r.Cameras))
	if r.Plan == nil || err != nil {
		return err
	}
	for _, n := range r.Plan.Notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
	if r.Plan.Rules == "" {
		return nil
	}
	_, err = fmt.Fprintf(w, "\n---- %s\n%s\n---- %s\n%s", RulesFile, r.Plan.Rules, DropInFile, r.Plan.DropIn)
	return err
}

// WriteCSV prints one line per camera, without the plan.
func (r *Result) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"camera", "url", "addresses", "vendor", "vendor_from", "manufacturer", "model", "firmware", "serial", "rtsp_server", "realms", "mac",
		"organisation", "flagged", "evidence", "why", "notes"})
	for i := range r.Cameras {
		c := &r.Cameras[i]
		f := Flag{}
		if c.Flag != nil {
			f = *c.Flag
		}
		d := &c.Device
		row := []string{c.Name, c.URL, join(c.Addresses), c.Vendor, c.From, d.Manufacturer, d.Model, d.Firmware, d.Serial, c.Server,
			strings.Join(c.Realms, "; "), c.MAC, c.Organisation, f.Vendor, f.Evidence, f.Why, strings.Join(c.Notes, "; ")}
		for k := range row {
			row[k] = cell(row[k])
		}
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// cell keeps a spreadsheet from reading a camera's text as a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t", rune(s[0])) {
		return "'" + s
	}
	return s
}

func join(addrs []netip.Addr) string {
	out := make([]string, len(addrs))
	for i, a := range addrs {
		out[i] = a.String()
	}
	return strings.Join(out, " ")
}
