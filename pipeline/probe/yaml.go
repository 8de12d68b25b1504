package probe

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"scrim/transport/rtsp"
)

// plainRE matches what YAML takes for text without quotes.
var plainRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./:?=&%@-]*[A-Za-z0-9/]$`)

// yaml is the camera's part of a configuration, where no problem is fatal.
func (p *prober) yaml() string {
	u := p.r.URL
	var b strings.Builder
	fmt.Fprintf(&b, "cameras:\n  - name: %s\n    url: %s\n", p.o.Name, scalar(u))
	if strings.Contains(u, "***") {
		b.WriteString("    # Replace the *** by what was there; it is not shown.\n")
	}
	if !p.r.Open {
		fmt.Fprintf(&b, "    user: %s\n    password: env:%s\n", scalar(p.o.User), strings.ToUpper(strings.ReplaceAll(p.o.Name, "-", "_"))+"_PASSWORD")
	}
	if p.r.Transport == rtsp.TransportUDP {
		b.WriteString("    transport: udp\n")
	}
	switch tls := strings.HasPrefix(u, "rtsps:"); {
	case tls && p.o.Trust.Fingerprint != "": // it counts more
		fmt.Fprintf(&b, "    tls: {fingerprint: %s}\n", scalar(p.o.Trust.Fingerprint))
	case tls && p.o.CAFile != "":
		fmt.Fprintf(&b, "    tls: {ca: %s}\n", strconv.Quote(p.o.CAFile))
	}
	if p.o.AllowBasic {
		b.WriteString("    allow_basic: true\n")
	}
	return b.String()
}

// scalar writes a text of YAML.
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
