package audit

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Route is how this host reaches a camera.
type Route struct {
	// Source is this host's address towards the camera.
	Source netip.Addr `json:"source"`
	// Interface is the one through which it goes.
	Interface string `json:"interface"`
	// Gateway is set where a router lies between: then this host cannot see the
	// camera's MAC address, nor isolate it from its own network.
	Gateway netip.Addr `json:"gateway,omitzero"`
	// Local is set when the camera's address is this machine's own.
	Local bool `json:"local,omitempty"`
}

// resolve returns a host's addresses.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return nil, fmt.Errorf("its name %s cannot be resolved", plain(host))
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// route asks the kernel how it would reach an address.
func route(to netip.Addr) (*Route, error) {
	routes, err := netlink.RouteGet(to.AsSlice())
	if err != nil || len(routes) == 0 {
		return nil, fmt.Errorf("this host has no route to %s", to)
	}
	r := &routes[0]
	out := &Route{Local: r.Type == 2} // RTN_LOCAL
	out.Source, _ = netip.AddrFromSlice(r.Src)
	out.Source = out.Source.Unmap()
	if gw, ok := netip.AddrFromSlice(r.Gw); ok {
		out.Gateway = gw.Unmap()
	}
	if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil {
		out.Interface = link.Attrs().Name
	}
	return out, nil
}

// neighbours is the kernel's table of who is in the networks of this host.
func neighbours() (map[netip.Addr]net.HardwareAddr, error) {
	list, err := netlink.NeighList(0, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("the neighbour table cannot be read: %w", err)
	}
	out := map[netip.Addr]net.HardwareAddr{}
	for i := range list {
		n := &list[i]
		a, ok := netip.AddrFromSlice(n.IP)
		if ok && len(n.HardwareAddr) == 6 && n.State&(netlink.NUD_FAILED|netlink.NUD_INCOMPLETE|netlink.NUD_NOARP) == 0 {
			out[a.Unmap()] = n.HardwareAddr
		}
	}
	return out, nil
}
