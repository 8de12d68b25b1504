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
	// Interface is this host's network interface towards the camera.
	Interface string `json:"interface"`
	// Gateway is set if a router is in between. Then this host cannot see the camera's
	// MAC address, and cannot isolate it within the camera's own network.
	Gateway netip.Addr `json:"gateway,omitzero"`
	// Local is set if the camera's address is this host's own.
	Local bool `json:"local,omitempty"`
}

// resolve returns a host's addresses.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) == 0 {
		return nil, fmt.Errorf("cannot resolve host name %s", plain(host))
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, nil
}

// route queries the kernel's route to an address.
func route(to netip.Addr) (*Route, error) {
	routes, err := netlink.RouteGet(to.AsSlice())
	if err != nil || len(routes) == 0 {
		return nil, fmt.Errorf("no route to %s from this host", to)
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

// neighbours returns the kernel's table of MAC addresses in this host's networks.
func neighbours() (map[netip.Addr]net.HardwareAddr, error) {
	list, err := netlink.NeighList(0, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("cannot read the neighbour table: %w", err)
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
