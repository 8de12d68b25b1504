package discovery

import (
	"cmp"
	"encoding/xml"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"scrim/transport"
	"scrim/transport/onvif/soap"
)

// Limits of the results.
const (
	// MaxDevices bounds the devices of one search.
	MaxDevices = 1024
	maxText    = 128 // bytes
	maxXAddrs  = 8
	maxScopes  = 64
	maxMatches = 16 // of one answer
)

// Device is a device that answered. All texts are its own words, on one line.
type Device struct {
	// Address is the sender of the answer, which is harder to forge than its content.
	Address netip.Addr `json:"address"`
	// Endpoint is the device's permanent name, such as urn:uuid:….
	Endpoint string `json:"endpoint,omitempty"`
	// XAddrs are the URLs of its device service.
	XAddrs []string `json:"xaddrs,omitempty"`
	// Name, Hardware and Location are from its scopes.
	Name     string `json:"name,omitempty"`
	Hardware string `json:"hardware,omitempty"`
	Location string `json:"location,omitempty"`
	// Profiles are the ONVIF profiles that it claims, such as Streaming, S or T.
	Profiles []string `json:"profiles,omitempty"`
	// Elsewhere is set if it names a service at another address than its own.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// answer is a WS-Discovery message.
type answer struct {
	Relates string `xml:"Header>RelatesTo"`
	Matches []struct {
		Endpoint string `xml:"EndpointReference>Address"`
		Types    string
		Scopes   string
		XAddrs   string
	} `xml:"Body>ProbeMatches>ProbeMatch"`
}

// parse reads an answer to the probe with one of the ids.
func parse(data []byte, from netip.Addr, ids []string) []Device {
	var a answer
	if soap.Decode(data, &a) != nil || !slices.Contains(ids, strings.TrimSpace(a.Relates)) {
		return nil
	}
	var out []Device
	for i := range a.Matches[:min(len(a.Matches), maxMatches)] {
		m := &a.Matches[i]
		d := Device{Address: from, Endpoint: plain(m.Endpoint)}
		for _, x := range first(strings.Fields(m.XAddrs), maxXAddrs) {
			u, err := url.Parse(x)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || transport.Plain(x, 2*maxText) != x {
				continue
			}
			d.XAddrs = append(d.XAddrs, x)
			ip, err := netip.ParseAddr(u.Hostname())
			d.Elsewhere = d.Elsewhere || err == nil && ip.Unmap().WithZone("") != from.WithZone("")
		}
		d.scopes(m.Scopes)
		out = append(out, d)
	}
	return out
}

// scopes reads the standard scopes (ONVIF core, section 7.3.2.2).
func (d *Device) scopes(scopes string) {
	for _, s := range first(strings.Fields(scopes), maxScopes) {
		rest, ok := strings.CutPrefix(s, "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		kind, value, _ := strings.Cut(rest, "/")
		if v, err := url.PathUnescape(value); err == nil {
			value = v
		}
		value = plain(value)
		switch strings.ToLower(kind) {
		case "name":
			d.Name = value
		case "hardware":
			d.Hardware = value
		case "location":
			d.Location = strings.TrimPrefix(strings.TrimSpace(d.Location+", "+value), ", ")
		case "profile":
			if !slices.Contains(d.Profiles, value) {
				d.Profiles = append(d.Profiles, value)
			}
		}
	}
	d.Location = plain(d.Location)
}

func first(list []string, n int) []string { return list[:min(len(list), n)] }

// plain makes a device's text fit for one line.
func plain(s string) string { return transport.Plain(s, maxText) }

func byAddress(a, b Device) int {
	return cmp.Or(a.Address.Compare(b.Address), strings.Compare(a.Endpoint, b.Endpoint))
}

// probe returns the probe for cameras, of the type that both old and new devices have.
func probe(id string) ([]byte, error) {
	type text struct {
		Text string `xml:",chardata"`
	}
	header := struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing Action"`
		text
	}{text: text{"http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe"}}
	messageID := struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing MessageID"`
		text
	}{text: text{id}}
	to := struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/ws/2004/08/addressing To"`
		text
	}{text: text{"urn:schemas-xmlsoap-org:ws:2005:04:discovery"}}
	body := struct {
		XMLName xml.Name `xml:"http://schemas.xmlsoap.org/ws/2005/04/discovery Probe"`
		Types   struct {
			NS string `xml:"xmlns:dn,attr"`
			text
		}
	}{}
	body.Types.NS, body.Types.Text = "http://www.onvif.org/ver10/network/wsdl", "dn:NetworkVideoTransmitter"
	return soap.Envelope([]any{header, messageID, to}, body)
}
