package device

import (
	"crypto/sha256"
	"encoding/xml"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"scrim/transport/auth"
	"scrim/transport/onvif/soap"
)

const (
	// maxSkew bounds the difference between a token's time and the device's, which
	// clients can ask for.
	maxSkew = 5 * time.Minute
	// maxNonces bounds the remembered tokens. Only tokens with a correct password are
	// remembered.
	maxNonces = 1 << 16
)

// nonces remembers used tokens until their time has passed.
type nonces struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time // until when
}

func newNonces() *nonces { return &nonces{seen: make(map[[sha256.Size]byte]time.Time)} }

// fresh reports whether a token is used for the first time.
func (n *nonces) fresh(s *soap.Security, now time.Time) bool {
	key := sha256.Sum256([]byte(s.Username + "\x00" + s.Nonce + "\x00" + s.Created))
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, used := n.seen[key]; used {
		return false
	}
	if len(n.seen) >= maxNonces {
		for k, until := range n.seen {
			if now.After(until) {
				delete(n.seen, k)
			}
		}
		if len(n.seen) >= maxNonces {
			return false
		}
	}
	n.seen[key] = now.Add(2 * maxSkew)
	return true
}

// authorise returns the user of a request.
func (d *Device) authorise(w http.ResponseWriter, r *http.Request, token *soap.Security) (*auth.User, *fault) {
	if d.o.Access.Unrestricted() {
		return nil, nil
	}
	from := netip.IPv4Unspecified()
	if p, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		from = p.Addr().Unmap()
	}
	if token != nil {
		created, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(token.Created))
		if err != nil || d.now().Sub(created).Abs() > maxSkew {
			return nil, notAuthorised(http.StatusBadRequest, "the token's time differs from this device's")
		}
		u, err := d.o.Access.Verify(from, token.Username, token.Verify)
		if err != nil {
			return nil, notAuthorised(http.StatusBadRequest, err.Error())
		}
		if !d.used.fresh(token, d.now()) {
			return nil, notAuthorised(http.StatusBadRequest, "the token was used before")
		}
		return u, nil
	}
	u, stale, err := d.o.Access.Digest(from, r.Method, r.Header.Values("Authorization"), func(uri string) bool {
		signed, err := url.ParseRequestURI(uri)
		return err == nil && signed.Path == r.URL.Path
	})
	if err != nil {
		for _, c := range d.o.Access.Challenge(from, stale) {
			w.Header().Add("WWW-Authenticate", c)
		}
		return nil, notAuthorised(http.StatusUnauthorized, err.Error())
	}
	return u, nil
}

// fault is an error answer (SOAP 1.2 part 1, section 5.4; ONVIF core, section 5.8.2).
type fault struct {
	status           int
	subcode, precise string
	reason           string
}

func notAuthorised(status int, reason string) *fault {
	return &fault{status, "ter:NotAuthorized", "", reason}
}

type faultXML struct {
	XMLName xml.Name `xml:"s:Fault"`
	Ter     string   `xml:"xmlns:ter,attr"`
	Code    struct {
		Value   string      `xml:"s:Value"`
		Subcode *subcodeXML `xml:"s:Subcode"`
	} `xml:"s:Code"`
	Reason struct {
		Text struct {
			Lang string `xml:"xml:lang,attr"`
			Text string `xml:",chardata"`
		} `xml:"s:Text"`
	} `xml:"s:Reason"`
}

type subcodeXML struct {
	Value   string      `xml:"s:Value"`
	Subcode *subcodeXML `xml:"s:Subcode"`
}

func (d *Device) fail(w http.ResponseWriter, f *fault) {
	x := faultXML{Ter: "http://www.onvif.org/ver10/error"}
	x.Code.Value = "s:Sender"
	if f.status >= http.StatusInternalServerError {
		x.Code.Value = "s:Receiver"
	}
	x.Code.Subcode = &subcodeXML{Value: f.subcode}
	if f.precise != "" {
		x.Code.Subcode.Subcode = &subcodeXML{Value: f.precise}
	}
	x.Reason.Text.Lang, x.Reason.Text.Text = "en", f.reason
	body, err := soap.Envelope(nil, x)
	if err != nil {
		http.Error(w, f.reason, f.status)
		return
	}
	w.Header().Set("Content-Type", soap.ContentType)
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}
