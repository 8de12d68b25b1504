package rtsp

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/ipv4"

	"scrim/models/testenv"
)

// What a camera announces of multicast groups is not followed: others in the
// network would get the raw video.
func TestMulticastIsJoinedOnlyWhereItIsAskedFor(t *testing.T) {
	cam := (&oddCamera{sdp: strings.Replace(usualSDP, "t=0 0\r\n", "c=IN IP4 239.1.2.3/32\r\nt=0 0\r\n", 1)}).start(t)
	_, err := take(t, Config{URL: cam.url("")}, 2)
	require.NoError(t, err)
	require.Regexp(t, `unicast`, cam.requests(base.Setup)[0].Header["Transport"][0])

	group := (&oddCamera{answer: func(req *base.Request, res *base.Response) *base.Response {
		if req.Method == base.Setup {
			res.Header["Transport"] = base.HeaderValue{"RTP/AVP;multicast;destination=239.1.2.3;port=5000-5001;ttl=1"}
		}
		return res
	}}).start(t)
	for transport, want := range map[Transport]string{
		TransportTCP: "refuses TCP", TransportUDP: "multicast, which was not requested", TransportAuto: "multicast, which was not requested",
	} {
		_, err = take(t, Config{URL: group.url(""), Transport: transport}, 1)
		require.ErrorIs(t, err, ErrProtocol, transport)
		require.ErrorContains(t, err, want, transport)
	}
}

// groupPort returns a port of this machine's that nobody uses, even, with a socket
// from which a camera sends.
func groupPort(t *testing.T) (int, *net.UDPConn) {
	t.Helper()
	for {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		if port := c.LocalAddr().(*net.UDPAddr).Port; port%2 == 0 {
			t.Cleanup(func() { _ = c.Close() })
			return port, c
		}
		_ = c.Close()
	}
}

func TestMulticast(t *testing.T) {
	testenv.Need(t, testenv.Multicast)
	port, out := groupPort(t)
	lo := ipv4.NewPacketConn(out)
	loopback, err := net.InterfaceByName("lo")
	require.NoError(t, err)
	require.NoError(t, lo.SetMulticastInterface(loopback))
	const group = "239.7.7.7"
	setup := func(transport string) *oddCamera {
		return (&oddCamera{
			answer: func(req *base.Request, res *base.Response) *base.Response {
				if req.Method == base.Setup {
					res.Header["Transport"] = base.HeaderValue{transport}
				}
				return res
			},
			send: func(c *oddConn) {
				to := &net.UDPAddr{IP: net.ParseIP(group), Port: port}
				tick := time.NewTicker(5 * time.Millisecond)
				defer tick.Stop()
				for seq := uint16(0); ; seq++ { // key frames only: who joins late gets one, too
					for _, p := range packets(3*seq, 3000*uint32(seq), testSPS, testPPS, []byte{0x65, 0x88, 1, 2, 3}) {
						b, err := p.Marshal()
						if err == nil {
							_, _ = out.WriteTo(b, to)
						}
					}
					select {
					case <-tick.C:
					case <-c.ctx.Done():
						return
					}
				}
			},
		}).start(t)
	}
	cam := setup(fmt.Sprintf("RTP/AVP;multicast;destination=%s;source=192.0.2.99;port=%d-%d;ttl=1", group, port, port+1))
	units, err := take(t, Config{URL: cam.url(""), Transport: TransportMulticast}, 5)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(units[0].Data), string(annexB(testSPS, testPPS))))
	require.Contains(t, cam.requests(base.Setup)[0].Header["Transport"][0], "multicast")

	for header, want := range map[string]string{
		"RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001":                   "no multicast",
		fmt.Sprintf("RTP/AVP;multicast;destination=127.0.0.1;port=%d-%d", port, port+1): "no multicast",
		fmt.Sprintf("RTP/AVP;multicast;port=%d-%d", port, port+1):                       "no multicast",
	} {
		_, err = take(t, Config{URL: setup(header).url(""), Transport: TransportMulticast}, 1)
		require.ErrorIs(t, err, ErrProtocol, header)
		require.ErrorContains(t, err, want, header)
	}
}
