package audit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Where the two files belong.
const (
	// RulesFile is that of the rules.
	RulesFile = "/etc/scrim/isolate-cameras.nft"
	// DropInFile is the drop-in of the systemd unit.
	DropInFile = "/etc/systemd/system/scrim.service.d/isolate-cameras.conf"
	table      = "scrim_isolation"
)

// Disclaimer is said with every plan.
const Disclaimer = "isolation keeps a camera from everything but this host's ingest until it is replaced; " +
	"where a rule or law bans a camera, a gateway before it does not make it compliant"

// Isolate says which cameras a plan is for.
type Isolate string

// The choices.
const (
	IsolateFlagged Isolate = "flagged"
	IsolateAll     Isolate = "all"
	IsolateNone    Isolate = "none"
)

// Plan isolates cameras on this host.
type Plan struct {
	// Cameras are the names of those that it isolates.
	Cameras []string `json:"cameras"`
	// Rules is the text of RulesFile, DropIn that of DropInFile.
	Rules  string `json:"nftables"`
	DropIn string `json:"systemd"`
	// Notes say what the plan cannot do.
	Notes []string `json:"notes"`
}

// NewPlan makes the plan; nil when there is nothing to isolate. Where what is to be
// isolated cannot be, it has no rules, and its notes say why.
func NewPlan(cameras []Camera, which Isolate) *Plan {
	p := &Plan{}
	var list []*Camera
	for i := range cameras {
		c := &cameras[i]
		switch {
		case which == IsolateNone || which == IsolateFlagged && c.Flag == nil:
		case len(c.Addresses) == 0 || c.Route == nil || !c.Route.Source.IsValid():
			p.Notes = append(p.Notes, fmt.Sprintf("camera %s is not in the plan: this host has no way to it", c.Name))
		case c.Route.Local:
			p.Notes = append(p.Notes, fmt.Sprintf("camera %s is not in the plan: its address is this host's own", c.Name))
		default:
			list = append(list, c)
			p.Cameras = append(p.Cameras, c.Name)
			if c.Route.Gateway.IsValid() {
				p.Notes = append(p.Notes, fmt.Sprintf("camera %s lies behind the router %s, which has to isolate it: here it is only kept from this host",
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
		"the rules hold for what passes through this host: give the cameras a network (VLAN or switch port) in which there is nothing but this host"}, p.Notes...)
	p.Rules, p.DropIn = rules(list), dropIn()
	return p
}

// rules writes nftables rules for cameras.
func rules(cameras []*Camera) string {
	var in, out, v4, v6, macs []string
	for _, c := range cameras {
		at, here := c.Addresses[0].WithZone(""), c.Route.Source
		ip := family(at)
		in = append(in, fmt.Sprintf("# camera %s: answers to what this host has asked for", c.Name),
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
# Scrim: isolates cameras until they are replaced. Load with nft -f; loading it
# again replaces these rules and no others. Away with: nft delete table inet %[1]s
#
# %[2]s.
#
# Meanwhile the cameras' own web pages cannot be opened from this host. The cameras
# get neither the time from anywhere, so what they burn into the picture may drift,
# nor an address from a DHCP server here: give them fixed ones.
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
		// Whatever other addresses it gives itself.
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

// chain writes one that runs before those of the host's own firewall, whose say on
// what is accepted here it leaves.
func chain(b *strings.Builder, hook string, rules []string) {
	fmt.Fprintf(b, "\tchain %[1]s {\n\t\ttype filter hook %[1]s priority filter - 10; policy accept;\n", hook)
	for _, r := range rules {
		b.WriteString("\t\t" + r + "\n")
	}
	b.WriteString("\t}\n")
}

// dropIn writes the drop-in.
func dropIn() string {
	return `# Scrim: the cameras are isolated before it starts, and it does not start unless
# they are. nftables.service flushes all rules when it ends or restarts: Scrim then
# ends or restarts with it. After ` + "`systemctl reload nftables`" + ` restart Scrim by hand,
# or include ` + RulesFile + ` from /etc/nftables.conf.
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

// wrap breaks a text for comments.
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
