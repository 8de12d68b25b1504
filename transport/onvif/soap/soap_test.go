package soap

import (
	"encoding/base64"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The example of the ONVIF application programmer's guide, section 6.1.1.3.
func TestPasswordDigestIsThatOfTheGuide(t *testing.T) {
	nonce, err := base64.StdEncoding.DecodeString("LKqI6G/AikKCQrN0zqZFlg==")
	require.NoError(t, err)
	require.Equal(t, "tuOSpGlFlIXsozq4HFNeeGeFLEI=", PasswordDigest(nonce, "2010-09-16T07:50:45Z", "userpassword"))
}

func TestSecurityHeaderIsReadBackAndHoldsNoPassword(t *testing.T) {
	sent := NewSecurity("viewer", "hunter2 & <more>", time.Unix(1_700_000_000, 0))
	data, err := Envelope(sent, struct {
		XMLName xml.Name `xml:"urn:x Ask"`
	}{})
	require.NoError(t, err)
	require.NotContains(t, string(data), "hunter2")
	m, err := Parse(data)
	require.NoError(t, err)
	require.NotNil(t, m.Header.Security)
	require.Equal(t, sent, *m.Header.Security)
	require.True(t, m.Header.Security.Verify("hunter2 & <more>"))
	require.False(t, m.Header.Security.Verify("hunter3"))
	require.Contains(t, string(m.Body.Content), "Ask")
	m.Header.Security.Type = "PasswordText"
	require.False(t, m.Header.Security.Verify("hunter2 & <more>"))
}

func TestHostileDocumentsAreRefused(t *testing.T) {
	for name, doc := range map[string]string{
		"entities":       `<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;</a>`,
		"unknown entity": `<a>&b;</a>`,
		"depth":          strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1),
		"elements":       "<a>" + strings.Repeat("<b/>", maxElements) + "</a>",
		"attributes":     "<a " + strings.Repeat("b='' ", maxElements) + "/>",
		"length":         "<a>" + strings.Repeat("b", MaxBytes) + "</a>",
		"encoding":       `<?xml version="1.0" encoding="utf-16"?><a/>`,
		"nothing":        "",
		"open end":       "<a><b></a>",
	} {
		require.ErrorIs(t, Decode([]byte(doc), new(struct{})), ErrMalformed, name)
	}
	_, err := Parse([]byte("<html/>"))
	require.ErrorIs(t, err, ErrNoEnvelope)
}

func TestFaultSaysWhetherCredentialsAreAskedFor(t *testing.T) {
	for body, want := range map[string]bool{
		`<Code><Value>s:Sender</Value><Subcode><Value>ter:NotAuthorized</Value></Subcode></Code>`:                                      true,
		`<Code><Value>s:Sender</Value><Subcode><Value>wsse:FailedAuthentication</Value></Subcode></Code>`:                              true,
		`<faultcode>x</faultcode><faultstring>Unauthorized</faultstring>`:                                                              true,
		`<Code><Value>s:Receiver</Value></Code><Reason><Text>out of order</Text></Reason>`:                                             false,
		`<Code><Value>s:Sender</Value><Subcode><Value>ter:InvalidArgVal</Value></Subcode></Code><Reason><Text>no such</Text></Reason>`: false,
	} {
		m, err := Parse([]byte("<s:Envelope xmlns:s='" + Namespace + "'><s:Body><s:Fault>" + body + "</s:Fault></s:Body></s:Envelope>"))
		require.NoError(t, err)
		require.NotNil(t, m.Body.Fault)
		require.Equal(t, want, m.Body.Fault.NotAuthorized(), body)
		require.NotEmpty(t, m.Body.Fault.Error())
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<s:Envelope xmlns:s='x'><s:Header><Security><UsernameToken><Username>u</Username></UsernameToken></Security></s:Header><s:Body><a/></s:Body></s:Envelope>",
		"<Envelope><Body><Fault><Code><Value>x</Value></Code></Fault></Body></Envelope>",
		`<!DOCTYPE a [<!ENTITY b "c">]><Envelope>&b;</Envelope>`, "<a", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		if fault := m.Body.Fault; fault != nil {
			require.NotEmpty(t, fault.Error())
			fault.NotAuthorized()
		}
		if s := m.Header.Security; s != nil {
			s.Verify("password")
		}
	})
}
