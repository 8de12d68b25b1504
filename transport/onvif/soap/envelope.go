package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"scrim/transport"
)

// Namespace is the namespace of SOAP 1.2 envelopes.
const Namespace = "http://www.w3.org/2003/05/soap-envelope"

// ContentType is the content type of SOAP 1.2 over HTTP.
const ContentType = "application/soap+xml; charset=utf-8"

// Envelope returns an envelope with a body, and a header if it is not nil. Both are
// marshalled by encoding/xml.
func Envelope(header, body any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<s:Envelope xmlns:s="` + Namespace + `">`)
	for _, part := range []struct {
		name  string
		value any
	}{{"s:Header", header}, {"s:Body", body}} {
		if part.value == nil {
			continue
		}
		b.WriteString("<" + part.name + ">")
		if err := xml.NewEncoder(&b).Encode(part.value); err != nil {
			return nil, fmt.Errorf("SOAP: %w", err)
		}
		b.WriteString("</" + part.name + ">")
	}
	b.WriteString("</s:Envelope>")
	return b.Bytes(), nil
}

// Message is a received envelope: a request at a device, or an answer at a client.
// Cameras use various namespaces, so only local names count.
type Message struct {
	Header struct {
		Security *Security `xml:"Security"`
	} `xml:"Header"`
	Body struct {
		Fault *Fault `xml:"Fault"`
		// Content is the XML of the body.
		Content []byte `xml:",innerxml"`
	} `xml:"Body"`
}

// ErrNoEnvelope means that a document is XML but not a SOAP message.
var ErrNoEnvelope = errors.New("no SOAP envelope")

// Parse reads an envelope.
func Parse(data []byte) (*Message, error) {
	var m struct {
		XMLName xml.Name
		Message
	}
	if err := Decode(data, &m); err != nil {
		return nil, err
	}
	if m.XMLName.Local != "Envelope" {
		return nil, ErrNoEnvelope
	}
	return &m.Message, nil
}

// Fault is a service's error (SOAP 1.2 part 1, section 5.4). The names of SOAP 1.1 are
// read too.
type Fault struct {
	Code    string `xml:"Code>Value"`
	Subcode string `xml:"Code>Subcode>Value"`
	// Detailed is the second subcode, the most specific one in ONVIF.
	Detailed string `xml:"Code>Subcode>Subcode>Value"`
	Reason   string `xml:"Reason>Text"`
	Code11   string `xml:"faultcode"`
	Reason11 string `xml:"faultstring"`
}

// NotAuthorized reports whether the fault requires different credentials.
func (f *Fault) NotAuthorized() bool {
	for _, code := range []string{f.Subcode, f.Detailed, f.Code11} {
		_, local, found := strings.Cut(code, ":")
		if !found {
			local = code
		}
		switch local {
		case "NotAuthorized", "FailedAuthentication", "OperationProhibited":
			return true
		}
	}
	text := strings.ToLower(f.Reason + f.Reason11)
	return strings.Contains(text, "not authorized") || strings.Contains(text, "unauthorized")
}

// maxReason bounds the text of a fault, in bytes.
const maxReason = 400

// Error returns the service's own text.
func (f *Fault) Error() string {
	for _, s := range []string{f.Reason, f.Reason11, f.Detailed, f.Subcode, f.Code, f.Code11} {
		if s = transport.Plain(s, maxReason); s != "" {
			return s
		}
	}
	return "fault without a reason"
}
