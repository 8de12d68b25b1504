package webrtc

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// freePort is a UDP port that nobody used a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero})
	require.NoError(t, err)
	defer func() { _ = c.Close() }()
	a, ok := c.LocalAddr().(*net.UDPAddr)
	require.True(t, ok)
	return a.Port
}

func mustAddr(t *testing.T, s ...string) []netip.Addr {
	t.Helper()
	var all []netip.Addr
	for _, x := range s {
		a, err := netip.ParseAddr(x)
		require.NoError(t, err)
		all = append(all, a)
	}
	return all
}

func itoa(n int) string { return strconv.Itoa(n) }

// hostPorts are the ports of host candidates of an answer.
func hostPorts(t *testing.T, answer string) []int {
	t.Helper()
	var ports []int
	for line := range strings.Lines(answer) {
		if f := strings.Fields(line); strings.HasPrefix(line, "a=candidate:") && f[7] == "host" {
			p, err := strconv.Atoi(f[5])
			require.NoError(t, err)
			ports = append(ports, p)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// stripLoopback leaves out candidates on loopback addresses.
func stripLoopback(answer string) string {
	var out strings.Builder
	for line := range strings.Lines(answer) {
		if _, ok := hostCandidate(line); ok || !strings.HasPrefix(line, "a=candidate:") {
			out.WriteString(line)
		}
	}
	return out.String()
}
