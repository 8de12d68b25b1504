package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/ipv4"

	"scrim/models/testenv"
	"scrim/transport/onvif/soap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// match is what a camera answers to a message.
func match(id, endpoint, xaddrs, scopes string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=%q xmlns:wsa="urn:a" xmlns:d="urn:d">`+
		`<SOAP-ENV:Header><wsa:RelatesTo>%s</wsa:RelatesTo></SOAP-ENV:Header><SOAP-ENV:Body><d:ProbeMatches><d:ProbeMatch>`+
		`<wsa:EndpointReference><wsa:Address>%s</wsa:Address></wsa:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>`+
		`<d:Scopes>%s</d:Scopes><d:XAddrs>%s</d:XAddrs></d:ProbeMatch></d:ProbeMatches></SOAP-ENV:Body></SOAP-ENV:Envelope>`,
		soap.Namespace, id, endpoint, scopes, xaddrs)
}

const scopes = "onvif://www.onvif.org/Profile/S onvif://www.onvif.org/name/Acme%20A1 onvif://www.onvif.org/hardware/A1 " +
	"onvif://www.onvif.org/location/city/Bern onvif://www.onvif.org/location/country/CH http://example.org/name/none"

var messageIDRE = regexp.MustCompile(`<MessageID[^>]*>([^<]+)<`)

// answerQuestions listens as devices do, on the loopback interface, and answers every
// question.
func answerQuestions(t *testing.T, answers func(id string) []string) {
	t.Helper()
	testenv.Need(t, testenv.Multicast)
	ifi, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	conn, err := net.ListenMulticastUDP("udp4", ifi, group)
	require.NoError(t, err)
	require.NoError(t, ipv4.NewPacketConn(conn).SetMulticastInterface(ifi))
	done := make(chan struct{})
	t.Cleanup(func() { _ = conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			m := messageIDRE.FindSubmatch(buf[:n])
			if m == nil {
				continue
			}
			for _, a := range answers(string(m[1])) {
				_, _ = conn.WriteToUDPAddrPort([]byte(a), from)
			}
		}
	}()
}

func TestDevicesOnAnInterfaceAreFoundOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	asked := 0
	answerQuestions(t, func(id string) []string {
		// The second question ends the search: what it is answered may come too late.
		if asked++; asked == 2 {
			cancel()
		}
		return []string{
			match(id, "urn:uuid:1", "http://127.0.0.1/onvif/device_service http://[fe80::1]/onvif/device_service", scopes),
			match(id, "urn:uuid:1", "http://127.0.0.1/onvif/device_service http://[fe80::1]/onvif/device_service", scopes),
			match("urn:uuid:of-somebody-else", "urn:uuid:2", "", ""),
			"garbage", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`,
			match(id, "urn:uuid:3", "file:///etc/passwd http://u:p@127.0.0.1/ http://127.0.0.1/x", ""),
		}
	})
	found, err := Search(ctx, "lo")
	require.NoError(t, err)
	local := netip.MustParseAddr("127.0.0.1")
	require.Equal(t, []Device{
		{
			Address: local, Endpoint: "urn:uuid:1", Name: "Acme A1", Hardware: "A1", Location: "city/Bern, country/CH", Profiles: []string{"S"},
			XAddrs: []string{"http://127.0.0.1/onvif/device_service", "http://[fe80::1]/onvif/device_service"}, Elsewhere: true,
		},
		{Address: local, Endpoint: "urn:uuid:3", XAddrs: []string{"http://127.0.0.1/x"}},
	}, found)
}

func TestInterfaceThatCannotBeUsedIsSaid(t *testing.T) {
	_, err := Search(t.Context(), "no such")
	require.ErrorContains(t, err, "`ip link` lists them")
}

func TestAnswersAreBounded(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	got := parse([]byte(match("id", long, strings.Repeat("http://127.0.0.1/ ", 100), "onvif://www.onvif.org/name/"+long)), netip.Addr{}, []string{"id"})
	require.Len(t, got, 1)
	require.Less(t, len(got[0].Endpoint)+len(got[0].Name), 3*maxText)
	require.Len(t, got[0].XAddrs, maxXAddrs)
}

func TestAddressesThatAreNotPlainTextAreDropped(t *testing.T) {
	for _, n := range []int{1, maxText, 2*maxText - 60} {
		evil := "http://127.0.0.1/" + strings.Repeat("x", n) + "\u202e/moc.live"
		got := parse([]byte(match("id", "urn:uuid:1", evil+" http://127.0.0.1/"+strings.Repeat("x", n), "")), netip.Addr{}, []string{"id"})
		require.Len(t, got, 1)
		require.Equal(t, []string{"http://127.0.0.1/" + strings.Repeat("x", n)}, got[0].XAddrs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(match("id", "urn:uuid:1", "http://127.0.0.1/", scopes)))
	f.Add([]byte(match("id", "", "", "onvif://www.onvif.org/location/%zz onvif://www.onvif.org/profile/")))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	f.Add([]byte("<Envelope><Header><RelatesTo>id</RelatesTo></Header><Body><ProbeMatches/></Body></Envelope>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range parse(data, netip.MustParseAddr("192.0.2.1"), []string{"id"}) {
			for _, s := range append(append([]string{d.Name, d.Hardware, d.Location, d.Endpoint}, d.XAddrs...), d.Profiles...) {
				require.LessOrEqual(t, len(s), 2*maxText+8)
				require.NotContains(t, s, "\n")
				require.NotContains(t, s, "\x1b")
			}
		}
	})
}
