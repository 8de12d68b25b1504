package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"scrim/cmd/internal/cli"
	"scrim/transport/onvif/discovery"
)

// maxDiscovery bounds the wait for devices.
const maxDiscovery = 5 * time.Minute

// DiscoverCmd finds ONVIF devices.
type DiscoverCmd struct {
	Interface string        `required:"" placeholder:"NAME" help:"Network interface of the cameras, such as eth1."`
	Timeout   time.Duration `default:"3s" placeholder:"TIME" help:"How long to wait for responses (${default})."`
	JSON      bool          `name:"json" help:"Print a JSON array."`
}

// Run prints the devices that answered, as a table or JSON.
func (c DiscoverCmd) Run(ctx context.Context, out io.Writer) error {
	if c.Timeout <= 0 || c.Timeout > maxDiscovery {
		return fmt.Errorf("invalid --timeout: must be positive and at most %v", maxDiscovery)
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
		return cli.WriteJSON(out, devices)
	}
	if len(devices) == 0 {
		_, err := fmt.Fprintf(out, "no ONVIF device answered on %s within %v; if discovery is off in the cameras, try scrim probe HOST\n", c.Interface, c.Timeout)
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ADDRESS\tNAME\tHARDWARE\tLOCATION\tONVIF\tNOTE")
	for _, d := range devices {
		note := ""
		if d.Elsewhere {
			note = "its service is at another address"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Address, cmp.Or(d.Name, "-"), cmp.Or(d.Hardware, "-"), cmp.Or(d.Location, "-"),
			cmp.Or(strings.Join(d.XAddrs, " "), "-"), note)
	}
	return table.Flush()
}
