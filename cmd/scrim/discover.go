package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"scrim/transport/onvif/discovery"
)

// maxDiscovery bounds how long devices are waited for.
const maxDiscovery = 5 * time.Minute

// DiscoverCmd finds ONVIF devices.
type DiscoverCmd struct {
	Interface string        `required:"" placeholder:"NAME" help:"The network interface at which the cameras are. None is asked unless it is named."`
	Timeout   time.Duration `default:"3s" placeholder:"TIME" help:"How long to wait for answers (${default})."`
	JSON      bool          `name:"json" help:"Print a JSON array."`
}

// Run prints a table of what answered, or JSON.
func (c DiscoverCmd) Run(ctx context.Context, out io.Writer) error {
	if c.Timeout <= 0 || c.Timeout > maxDiscovery {
		return fmt.Errorf("--timeout may be up to %v", maxDiscovery)
	}
	search, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	devices, err := discovery.Search(search, c.Interface)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.JSON {
		return writeJSON(out, devices)
	}
	if len(devices) == 0 {
		_, err := fmt.Fprintf(out, "no ONVIF device answered at %s within %v; cameras may have discovery off: try scrim probe HOST\n", c.Interface, c.Timeout)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ADDRESS\tNAME\tHARDWARE\tLOCATION\tONVIF\tNOTE")
	for _, d := range devices {
		note := ""
		if d.Elsewhere {
			note = "names a service at another address"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Address, cmp.Or(d.Name, "-"), cmp.Or(d.Hardware, "-"), cmp.Or(d.Location, "-"),
			cmp.Or(strings.Join(d.XAddrs, " "), "-"), note)
	}
	return table.Flush()
}
