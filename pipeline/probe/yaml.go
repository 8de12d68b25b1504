package probe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"scrim/redact/geom"
	"scrim/transport/rtsp"
)

// plainRE matches text that YAML accepts as a string without quotes.
var plainRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./:?=&%@-]*[A-Za-z0-9/]$`)

// yaml returns the configuration of the camera, if no problem is fatal.
func (p *prober) yaml() string {
	u := p.r.URL
	var b strings.Builder
	fmt.Fprintf(&b, "cameras:\n  - name: %s\n    url: %s\n", p.o.Name, scalar(u))
	if strings.Contains(u, "***") {
		b.WriteString("    # Replace *** with the credentials; they are not shown here.\n")
	}
	if !p.r.Open {
		fmt.Fprintf(&b, "    user: %s\n    password: env:%s\n", scalar(p.o.User), strings.ToUpper(strings.ReplaceAll(p.o.Name, "-", "_"))+"_PASSWORD")
	}
	if p.r.Transport == rtsp.TransportUDP {
		b.WriteString("    transport: udp\n")
	}
	if p.r.Rotate != geom.Upright {
		fmt.Fprintf(&b, "    rotate: %d\n", p.r.Rotate)
	}
	switch tls := strings.HasPrefix(u, "rtsps:"); {
	case tls && p.o.Trust.Fingerprint != "": // overrides the CA
		fmt.Fprintf(&b, "    tls: {fingerprint: %s}\n", scalar(p.o.Trust.Fingerprint))
	case tls && p.o.CAFile != "":
		fmt.Fprintf(&b, "    tls: {ca: %s}\n", strconv.Quote(p.o.CAFile))
	}
	if p.o.AllowBasic {
		b.WriteString("    allow_basic: true\n")
	}
	return b.String()
}

// scalar formats a YAML string.
func scalar(s string) string {
	if plainRE.MatchString(s) && !strings.Contains(s, ": ") {
		switch strings.ToLower(s) {
		case "true", "false", "null", "yes", "no", "on", "off":
		default:
			return s
		}
	}
	return strconv.Quote(s)
}
