package audit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Paths of the two files.
const (
	// RulesFile holds the nftables rules.
	RulesFile = "/etc/scrim/isolate-cameras.nft"
	// DropInFile is the drop-in for the systemd unit.
	DropInFile = "/etc/systemd/system/scrim.service.d/isolate-cameras.conf"
	table      = "scrim_isolation"
)

// Disclaimer is part of every plan.
const Disclaimer = "isolation limits a camera to this host's ingest until it is replaced; " +
	"if a rule or law bans a camera, a gateway in front of it does not make it compliant"

// Isolate selects the cameras of a plan.
type Isolate string

// The choices.
const (
	IsolateFlagged Isolate = "flagged"
	IsolateAll     Isolate = "all"
	IsolateNone    Isolate = "none"
)

// Plan is how to isolate cameras on this host.
type Plan struct {
	// Cameras are the names of the isolated cameras.
	Cameras []string `json:"cameras"`
	// Rules is the content of RulesFile, DropIn the content of DropInFile.
	Rules  string `json:"nftables"`
	DropIn string `json:"systemd"`
	// Notes are the limits of the plan.
	Notes []string `json:"notes"`
}

// NewPlan returns the plan, or nil if no camera must be isolated. If none of them can
// be isolated, the plan has no rules, and its notes have the reasons.
func NewPlan(cameras []Camera, which Isolate) *Plan {
	p := &Plan{}
	var list []*Camera
	for i := range cameras {
		c := &cameras[i]
		switch {
		case which == IsolateNone || which == IsolateFlagged && c.Flag == nil:
		case len(c.Addresses) == 0 || c.Route == nil || !c.Route.Source.IsValid():
			p.Notes = append(p.Notes, fmt.Sprintf("camera %s is not in the plan: this host has no route to it", c.Name))
		case c.Route.Local:
			p.Notes = append(p.Notes, fmt.Sprintf("camera %s is not in the plan: its address is this host's own", c.Name))
		default:
			list = append(list, c)
			p.Cameras = append(p.Cameras, c.Name)
			if c.Route.Gateway.IsValid() {
				p.Notes = append(p.Notes, fmt.Sprintf("camera %s is behind the router %s, which must isolate it; the rules only keep it from this host",
					c.Name, c.Route.Gateway))
			}
		}
	}
	if len(list) == 0 {
		if len(p.Notes) == 0 {
			return nil
		}
		return p
	}
	p.Notes = append([]string{Disclaimer,
		"the rules apply to traffic through this host: put the cameras into a network (VLAN or switch port) with nothing else but this host"}, p.Notes...)
	p.Rules, p.DropIn = rules(list), dropIn()
	return p
}

// rules returns the nftables rules for cameras.
func rules(cameras []*Camera) string {
	var in, out, v4, v6, macs []string
	for _, c := range cameras {
		at, here := c.Addresses[0].WithZone(""), c.Route.Source
		ip := family(at)
		in = append(in, fmt.Sprintf("# camera %s: replies to this host's requests", c.Name),
			fmt.Sprintf("%s saddr %s %s daddr %s tcp sport %d ct state established accept", ip, at, ip, here, c.Port))
		out = append(out, fmt.Sprintf("%s saddr %s %s daddr %s tcp dport %d accept", ip, here, ip, at, c.Port))
		if c.UDP {
			in = append(in, fmt.Sprintf("%s saddr %s %s daddr %s meta l4proto udp ct state established accept", ip, at, ip, here))
			out = append(out, fmt.Sprintf("%s saddr %s %s daddr %s udp dport 1024-65535 accept", ip, here, ip, at))
		}
		for _, a := range c.Addresses {
			if a = a.WithZone(""); a.Is4() {
				v4 = appendNew(v4, a.String())
			} else {
				v6 = appendNew(v6, a.String())
			}
		}
		if c.mac != nil {
			macs = appendNew(macs, c.mac.String())
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/usr/sbin/nft -f
# Scrim: isolates cameras until they are replaced. Load with nft -f; loading again
# replaces these rules only. Remove with: nft delete table inet %[1]s
#
# %[2]s.
#
# With these rules, this host cannot open the cameras' own web pages. The cameras
# cannot reach a time server, so the time in their pictures may drift. They cannot
# reach a DHCP server on this host either: give them fixed addresses.
table inet %[1]s
delete table inet %[1]s
table inet %[1]s {
`, table, wrap(Disclaimer))
	set := func(name, typ string, elements []string) {
		if len(elements) > 0 {
			fmt.Fprintf(&b, "\tset %s {\n\t\ttype %s\n\t\telements = { %s }\n\t}\n\n", name, typ, strings.Join(elements, ", "))
		}
	}
	set("cameras4", "ipv4_addr", v4)
	set("cameras6", "ipv6_addr", v6)
	set("macs", "ether_addr", macs)
	if len(v6) > 0 {
		neighbour := "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
		in, out = append(in, "ip6 saddr @cameras6 "+neighbour), append(out, "ip6 daddr @cameras6 "+neighbour)
	}
	from, to := drops("saddr", v4, v6), drops("daddr", v4, v6)
	if len(macs) > 0 {
		// Drop the camera's other addresses, too.
		from = append(from, "ether saddr @macs counter drop")
	}
	chain(&b, "input", slices.Concat(in, from))
	chain(&b, "output", slices.Concat(out, to))
	chain(&b, "forward", slices.Concat(from, to))
	b.WriteString("}\n")
	return b.String()
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "ip"
	}
	return "ip6"
}

func drops(side string, v4, v6 []string) (out []string) {
	if len(v4) > 0 {
		out = append(out, "ip "+side+" @cameras4 counter drop")
	}
	if len(v6) > 0 {
		out = append(out, "ip6 "+side+" @cameras6 counter drop")
	}
	return out
}

// chain writes a chain that runs before those of the host's own firewall, which still
// decides about what is accepted here.
func chain(b *strings.Builder, hook string, rules []string) {
	fmt.Fprintf(b, "\tchain %[1]s {\n\t\ttype filter hook %[1]s priority filter - 10; policy accept;\n", hook)
	for _, r := range rules {
		b.WriteString("\t\t" + r + "\n")
	}
	b.WriteString("\t}\n")
}

// dropIn returns the drop-in.
func dropIn() string {
	return `# Scrim: isolates the cameras before Scrim starts; if that fails, Scrim does not
# start. nftables.service flushes all rules when it stops or restarts, so Scrim stops
# or restarts with it. After ` + "`systemctl reload nftables`" + `, restart Scrim by hand,
# or include ` + RulesFile + ` in /etc/nftables.conf.
[Unit]
After=nftables.service
PartOf=nftables.service

[Service]
ExecStartPre=+/usr/sbin/nft -f ` + RulesFile + `
`
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// wrap wraps a text for a comment.
func wrap(s string) string {
	var b strings.Builder
	n := 0
	for w := range strings.FieldsSeq(s) {
		if n+len(w) > 78 {
			b.WriteString("\n#")
			n = 0
		}
		if b.Len() > 0 {
			b.WriteString(" ")
		}
		b.WriteString(w)
		n += len(w) + 1
	}
	return b.String()
}
