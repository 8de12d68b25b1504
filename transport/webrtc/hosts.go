package webrtc

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// maxHostBytes bounds a host name (RFC 1035, section 2.3.4).
const maxHostBytes = 253

var (
	hostRE = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$`)
	portRE = regexp.MustCompile(`:[0-9]*$`)
)

// checkHost checks one of Options.Hosts.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return nil
	}
	if len(host) > maxHostBytes || !hostRE.MatchString(host) {
		return fmt.Errorf("webrtc: host %.80q: write the name only, such as \"cameras.example.org\"", host)
	}
	return nil
}

// hosts passes requests whose host name is the gateway's. Nobody's DNS can rebind an IP
// address or localhost.
func (g *Gateway) hosts(next http.Handler) http.Handler {
	if g.opt.Token != "" {
		return next
	}
	known := []string{"localhost"}
	for _, host := range g.opt.Hosts {
		if host != "" {
			known = append(known, plainHost(host))
		}
	}
	return handler(func(w http.ResponseWriter, r *http.Request) error {
		if !isAddress(r.Host) && !slices.Contains(known, plainHost(portRE.ReplaceAllString(r.Host, ""))) {
			return refuse(http.StatusMisdirectedRequest, "without a token this gateway does not answer to the host name %.80q; "+
				"use its IP address or localhost, add the name to its hosts, or set a token", r.Host)
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// isAddress reports whether a Host header is an IP address, with or without a port.
// IPv6 is in brackets there.
func isAddress(host string) bool {
	host = portRE.ReplaceAllString(host, "")
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return ok && err == nil && a.Is6()
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is4()
}

// plainHost returns the form in which names are compared.
func plainHost(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
