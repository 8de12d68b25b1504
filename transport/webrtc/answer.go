package webrtc

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// publicPriority is lower than that of all host candidates (RFC 8445, section 5.1.2): a
// reachable address of the gateway's own interface is the shorter way.
const publicPriority = 100<<24 | 65535<<8 | 255

// addPublic adds a candidate on each public address of the same family for every UDP
// port that the answer names on an interface. pion can only replace the interfaces'
// addresses by one such address; viewers on the same machine or network could not reach
// the gateway then.
func addPublic(answer string, public []netip.Addr) string {
	if len(public) == 0 {
		return answer
	}
	var out strings.Builder
	var ports []netip.AddrPort // of the current section
	flush := func() {
		for i, a := range candidatesFor(ports, public) {
			fmt.Fprintf(&out, "a=candidate:%d 1 udp %d %s %d typ srflx raddr 0.0.0.0 rport 0\r\n", 9000+i, publicPriority-i, a.Addr(), a.Port())
		}
		ports = nil
	}
	for line := range strings.Lines(answer) {
		if strings.HasPrefix(line, "a=end-of-candidates") || strings.HasPrefix(line, "m=") {
			flush()
		}
		if a, ok := hostCandidate(line); ok {
			ports = append(ports, a)
		}
		out.WriteString(line)
	}
	flush()
	return out.String()
}

// hostCandidate returns the address in a line of SDP if it is a host candidate for RTP
// over UDP that other machines can reach.
func hostCandidate(line string) (netip.AddrPort, bool) {
	value, ok := strings.CutPrefix(line, "a=candidate:")
	f := strings.Fields(value)
	if !ok || len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[7] != "host" {
		return netip.AddrPort{}, false
	}
	a, err := netip.ParseAddrPort(net.JoinHostPort(f[4], f[5]))
	return a, err == nil && !a.Addr().IsLoopback()
}

func candidatesFor(ports []netip.AddrPort, public []netip.Addr) []netip.AddrPort {
	var all []netip.AddrPort
	for _, p := range ports {
		for _, ip := range public {
			a := netip.AddrPortFrom(ip.Unmap(), p.Port())
			if ip.Unmap().Is4() == p.Addr().Is4() && !slices.Contains(ports, a) && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}
