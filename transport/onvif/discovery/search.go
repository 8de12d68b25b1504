package discovery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/ipv4"
)

// group is the multicast address of devices (WS-Discovery, section 2.4).
var group = &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}

// maxAnswer is the largest payload of a UDP datagram.
const maxAnswer = 64 << 10

// repeatAfter is when the probe is repeated, because UDP may lose it.
const repeatAfter = 500 * time.Millisecond

// Search looks for ONVIF devices in the network of an interface until ctx ends. It
// returns those that answered, sorted by address. The end of ctx is not an error.
func Search(ctx context.Context, iface string) ([]Device, error) {
	ifi, err := net.InterfaceByName(iface)
	if err != nil {
		return nil, fmt.Errorf("interface %s: no such interface; `ip link` lists them", plain(iface))
	}
	if ifi.Flags&net.FlagUp == 0 {
		return nil, fmt.Errorf("interface %s is down; set it up with `ip link set %s up`", ifi.Name, ifi.Name)
	}
	local, err := addressOf(ifi)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: local})
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
	}
	defer conn.Close()
	pc := ipv4.NewPacketConn(conn)
	if err := pc.SetMulticastInterface(ifi); err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
	}
	// Not beyond the next router (RFC 1112, section 6.1).
	if err := pc.SetMulticastTTL(1); err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
	}
	s := search{conn: conn, found: map[string]Device{}}
	for range 2 {
		s.ids = append(s.ids, newID())
	}
	if err := s.sendProbe(0); err != nil {
		return nil, fmt.Errorf("interface %s: send probe: %w", ifi.Name, err)
	}
	again := time.AfterFunc(repeatAfter, func() { _ = s.sendProbe(1) })
	defer again.Stop()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.listen(); err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("interface %s: receive answers: %w", ifi.Name, err)
	}
	out := make([]Device, 0, len(s.found))
	for _, d := range s.found {
		out = append(out, d)
	}
	slices.SortFunc(out, byAddress)
	return out, nil
}

// search is a running search.
type search struct {
	conn  *net.UDPConn
	ids   []string
	found map[string]Device
}

// sendProbe sends the probe with the nth id. Devices ignore a message id that they
// know.
func (s *search) sendProbe(n int) error {
	data, err := probe(s.ids[n])
	if err != nil {
		return err
	}
	_, err = s.conn.WriteToUDP(data, group)
	return err
}

func (s *search) listen() error {
	buf := make([]byte, maxAnswer)
	for len(s.found) < MaxDevices {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		for _, d := range parse(buf[:n], from.Addr().Unmap(), s.ids) {
			if len(s.found) < MaxDevices {
				s.found[d.Address.String()+" "+d.Endpoint] = d
			}
		}
	}
	return nil
}

// addressOf returns the IPv4 address of an interface.
func addressOf(ifi *net.Interface) (net.IP, error) {
	addrs, err := ifi.Addrs()
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifi.Name, err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			return p.Addr().AsSlice(), nil
		}
	}
	return nil, fmt.Errorf("interface %s: %w", ifi.Name, errNoIPv4)
}

var errNoIPv4 = errors.New("no IPv4 address; assign one in the cameras' network")

// newID returns a random UUID (RFC 9562, version 4) as a message id.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
