package soap

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // required by the profile
	"crypto/subtle"
	"encoding/base64"
	"encoding/xml"
	"time"
)

// Namespaces and types of the OASIS UsernameToken profile 1.0.
const (
	namespaceWSSE  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	namespaceWSU   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	passwordDigest = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
	base64Binary   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
	nonceBytes     = 16
)

// Security is the header that identifies the caller, with a digest of the password.
type Security struct {
	Username string
	// Digest is the result of PasswordDigest, in base64.
	Digest string
	// Nonce is base64 and Created RFC 3339, as in the header.
	Nonce, Created string
	// Type is the Type attribute of the received password. Verify accepts digests only.
	Type string
}

// NewSecurity returns a header for one call, with the time of the device's clock. Most
// devices refuse a time that is wrong by more than some seconds.
func NewSecurity(user, password string, at time.Time) Security {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails
	created := at.UTC().Format("2006-01-02T15:04:05.000Z")
	return Security{
		Username: user, Digest: PasswordDigest(nonce, created, password),
		Nonce: base64.StdEncoding.EncodeToString(nonce), Created: created, Type: passwordDigest,
	}
}

// PasswordDigest returns Base64(SHA-1(nonce + created + password)), section 3.1 of the
// profile.
func PasswordDigest(nonce []byte, created, password string) string {
	h := sha1.New() //nolint:gosec // required by the profile
	h.Write(nonce)
	h.Write([]byte(created + password))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Verify reports whether the header was made with a password, at whatever time: the
// caller checks Created and remembers nonces.
func (s *Security) Verify(password string) bool {
	nonce, err := base64.StdEncoding.DecodeString(s.Nonce)
	if err != nil || s.Type != passwordDigest {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(PasswordDigest(nonce, s.Created, password)), []byte(s.Digest)) == 1
}

// securityXML is the XML of the header.
type securityXML struct {
	XMLName xml.Name `xml:"Security"`
	NS      string   `xml:"xmlns,attr"`
	Token   struct {
		Username string `xml:"Username"`
		Password struct {
			Type string `xml:"Type,attr"`
			Text string `xml:",chardata"`
		} `xml:"Password"`
		Nonce struct {
			Type string `xml:"EncodingType,attr"`
			Text string `xml:",chardata"`
		} `xml:"Nonce"`
		Created struct {
			NS   string `xml:"xmlns,attr"`
			Text string `xml:",chardata"`
		} `xml:"Created"`
	} `xml:"UsernameToken"`
}

// MarshalXML implements xml.Marshaler.
func (s Security) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	x := securityXML{NS: namespaceWSSE}
	x.Token.Username = s.Username
	x.Token.Password.Type, x.Token.Password.Text = passwordDigest, s.Digest
	x.Token.Nonce.Type, x.Token.Nonce.Text = base64Binary, s.Nonce
	x.Token.Created.NS, x.Token.Created.Text = namespaceWSU, s.Created
	return e.Encode(x)
}

// UnmarshalXML implements xml.Unmarshaler.
func (s *Security) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var x securityXML
	if err := d.DecodeElement(&x, &start); err != nil {
		return err
	}
	t := &x.Token
	*s = Security{Username: t.Username, Digest: t.Password.Text, Type: t.Password.Type, Nonce: t.Nonce.Text, Created: t.Created.Text}
	return nil
}
