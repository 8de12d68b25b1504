package webrtc

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// publicPriority is lower than that of every host candidate (RFC 8445, section
// 5.1.2): an address of the gateway's own interface is the shorter way if it
// leads there.
const publicPriority = 100<<24 | 65535<<8 | 255

// addPublic adds to an answer, for every UDP port that it names on an interface,
// a candidate with the same port on each public address of the same family. pion
// can only put one such address in the place of the interfaces' own, and then
// viewers on the same machine or network no longer find the gateway.
func addPublic(answer string, public []netip.Addr) string {
	if len(public) == 0 {
		return answer
	}
	var out strings.Builder
	var ports []netip.AddrPort // of the section
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

// hostCandidate returns the address that a line of SDP names, if it is a host
// candidate for RTP over UDP on an interface that others can reach.
func hostCandidate(line string) (netip.AddrPort, bool) {
	value, ok := strings.CutPrefix(line, "a=candidate:")
	f := strings.Fields(value)
	if !ok || len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") || f[7] != "host" {
		return netip.AddrPort{}, false
	}
	a, err := netip.ParseAddrPort(netJoin(f[4], f[5]))
	return a, err == nil && !a.Addr().IsLoopback()
}

func netJoin(host, port string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]:" + port
	}
	return host + ":" + port
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
