package webrtc

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const ownFmtp = "packetization-mode=1;profile-level-id=42e01f"

func manyCandidates(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a=candidate:%d 1 udp 2122260223 10.0.0.1 %d typ host\r\n", i, 1000+i)
	}
	return b.String()
}

// offers are changes to the offer of a browser and the status that they get; 0:
// accepted.
var offers = []struct {
	name   string
	change []string
	status int
}{
	{"browser", nil, 0},
	{"sendrecv", []string{"a=recvonly", "a=sendrecv"}, 0},
	{"no direction", []string{"a=recvonly\r\n", ""}, 0},
	{"direction of the session", []string{"a=recvonly\r\n", "", "t=0 0\r\n", "t=0 0\r\na=recvonly\r\n"}, 0},
	{"sendonly", []string{"a=recvonly", "a=sendonly"}, http.StatusBadRequest},
	{"inactive", []string{"a=recvonly", "a=inactive"}, http.StatusBadRequest},
	{"other spelling of the profile", []string{"42e01f", "42C028", "42001f", "4d001f"}, 0},
	{"baseline only", []string{"42e01f", "64001f"}, 0},
	{"high only", []string{"42e01f", "64001f", "42001f", "640c1f"}, http.StatusNotAcceptable},
	{"mode 0 only", []string{"packetization-mode=1", "packetization-mode=0"}, http.StatusNotAcceptable},
	{"no mode", []string{"packetization-mode=1;", ""}, http.StatusNotAcceptable},
	{"no H.264", []string{"H264/90000", "H265/90000"}, http.StatusNotAcceptable},
	{"format not in the list", []string{"96 103 104 107 109 114", "96 104 114"}, http.StatusNotAcceptable},
	{"candidates", []string{"a=mid:0\r\n", "a=mid:0\r\n" + manyCandidates(maxCandidates)}, 0},
	{"too many candidates", []string{"a=mid:0\r\n", "a=mid:0\r\n" + manyCandidates(maxCandidates+1)}, http.StatusBadRequest},
	{"two videos", []string{"m=video 9", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\nm=video 9"}, http.StatusBadRequest},
	{"video off", []string{"m=video 9", "m=video 0"}, http.StatusBadRequest},
	{"audio only", []string{"m=video 9", "m=audio 9"}, http.StatusBadRequest},
	{"data channel", []string{"m=video 9", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\nm=video 9"}, http.StatusBadRequest},
	{"many sections", []string{"m=video 9", strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n", maxSections) + "m=video 9"}, http.StatusBadRequest},
	{"no ICE", []string{"a=ice-ufrag:EsAw\r\n", ""}, http.StatusBadRequest},
	{"no ICE password", []string{"a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y\r\n", ""}, http.StatusBadRequest},
	{"no DTLS", []string{"a=fingerprint:", "a=fingerprints:"}, http.StatusBadRequest},
	{"not SDP", []string{"v=0\r\n", "hello\r\n"}, http.StatusBadRequest},
}

func TestOffers(t *testing.T) {
	for _, c := range offers {
		t.Run(c.name, func(t *testing.T) {
			o, err := parseOffer([]byte(sdpOffer(c.change...)))
			if c.status == 0 {
				require.NoError(t, err)
				require.Equal(t, "EsAw", o.ufrag)
				require.Equal(t, 1, strings.Count(o.sdp, "a=recvonly")-strings.Count(strings.SplitN(o.sdp, "m=", 2)[0], "a=recvonly"))
				require.NotContains(t, o.sdp, "a=sendrecv")
				return
			}
			r, ok := errors.AsType[*refusal](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.status, r.status, r.msg)
			require.NotContains(t, r.msg, "\n")
		})
	}
	_, err := parseOffer([]byte(" \r\n"))
	require.ErrorContains(t, err, "not supported")
	require.Contains(t, sdpOffer(), ownFmtp)
	for _, c := range []string{"\r", "\x00", "\x0b"} {
		_, err = parseOffer([]byte(strings.Replace(sdpOffer(), "a=setup:", "a=x:1"+c+"a=setup:", 1)))
		require.ErrorContains(t, err, "control character")
	}
	_, err = parseOffer([]byte(strings.ReplaceAll(sdpOffer(), "\r\n", "\n")))
	require.NoError(t, err)
}

func FuzzOffer(f *testing.F) {
	for _, c := range offers {
		f.Add([]byte(sdpOffer(c.change...)))
	}
	f.Add([]byte("v=0\r\no=- 0 0 IN IP4 0\r\ns=-\r\nt=0 0\r\nm=video 9 X 1\r\na=rtpmap:1 H264/90000"))
	f.Add([]byte(strings.Replace(sdpOffer(), "a=fmtp:", "a=x:\ra=fmtp:", 1)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := parseOffer(raw)
		if err != nil {
			if _, ok := errors.AsType[*refusal](err); !ok || o != nil {
				t.Fatalf("%v", err)
			}
			return
		}
		// What was accepted stays so, and is one video to receive.
		again, err := parseOffer([]byte(o.sdp))
		if err != nil {
			t.Fatalf("accepted, then refused: %v\n%s", err, o.sdp)
		}
		if again.candidates != o.candidates || o.candidates > maxCandidates || o.ufrag == "" {
			t.Fatalf("%+v and %+v", o, again)
		}
	})
}

func TestFragments(t *testing.T) {
	const host = "a=candidate:1 1 udp 2122260223 10.0.0.1 1000 typ host generation 0 ufrag EsAw network-id 1\r\n"
	for _, c := range []struct {
		name, body string
		candidates int
		end        bool
		bad        bool
	}{
		{name: "one", body: "a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" + host, candidates: 1},
		{name: "line ends", body: "a=mid:0\n" + strings.ReplaceAll(host, "\r", "") + "a=end-of-candidates", candidates: 1, end: true},
		{name: "mDNS", body: "a=candidate:1 1 udp 1 8d0c2f4e-9f2b-4d25-a4cc-2b4cf2a3a1a0.local 1000 typ host\r\n", candidates: 1},
		{name: "IPv6", body: "a=candidate:1 1 udp 1 2001:db8::1 1000 typ srflx raddr :: rport 0\r\n", candidates: 1},
		{name: "kind that is not known", body: "a=candidate:1 1 udp 1 10.0.0.1 1000 typ magic\r\n"},
		{name: "transport that is not known", body: "a=candidate:1 1 pigeon 1 10.0.0.1 1000 typ host\r\n"},
		{name: "end", body: "a=end-of-candidates\r\n", end: true},
		{name: "most", body: manyCandidates(maxCandidates), candidates: maxCandidates},
		{name: "too many", body: manyCandidates(maxCandidates + 1), bad: true},
		{name: "empty", body: "", bad: true},
		{name: "nothing about ICE", body: "a=mid:0\r\ns=-\r\n", bad: true},
		{name: "not SDP", body: "hello", bad: true},
		{name: "JSON", body: `{"candidate": "x"}`, bad: true},
		{name: "host name", body: "a=candidate:1 1 udp 1 intranet.example.org 1000 typ host\r\n", bad: true},
		{name: "short", body: "a=candidate:1 1 udp\r\n", bad: true},
		{name: "port", body: "a=candidate:1 1 udp 1 10.0.0.1 100000 typ host\r\n", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := parseFragment([]byte(c.body))
			if c.bad {
				r, ok := errors.AsType[*refusal](err)
				require.True(t, ok)
				require.Equal(t, http.StatusUnprocessableEntity, r.status)
				return
			}
			require.NoError(t, err)
			require.Len(t, f.candidates, c.candidates)
			require.Equal(t, c.end, f.end)
		})
	}
}

func FuzzFragment(f *testing.F) {
	f.Add([]byte("a=ice-ufrag:EsAw\r\na=ice-pwd:x\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.1 1000 typ host\r\n"))
	f.Add([]byte("a=candidate:1 1 tcp 1 2001:db8::1 9 typ host tcptype active\na=end-of-candidates"))
	f.Add([]byte("a=candidate:1 1 udp 1 10.0.0.1 1000 typ srflx raddr 0.0.0.0 rport 0"))
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := parseFragment(raw)
		if err != nil {
			if _, ok := errors.AsType[*refusal](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(got.candidates) > got.listed || got.listed > maxCandidates {
			t.Fatalf("%d of %d candidates", len(got.candidates), got.listed)
		}
		for _, c := range got.candidates {
			if !strings.HasPrefix(c.Candidate, "candidate:") || strings.ContainsAny(c.Candidate, "\r\n") && !strings.Contains(string(raw), "\r") {
				t.Fatalf("%q", c.Candidate)
			}
		}
	})
}

func TestPublicCandidates(t *testing.T) {
	answer := "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n" +
		"a=candidate:1 1 udp 2130706431 10.0.0.5 4000 typ host\r\n" +
		"a=candidate:1 2 udp 2130706431 10.0.0.5 4000 typ host\r\n" +
		"a=candidate:2 1 udp 2130706431 192.0.2.9 4001 typ host\r\n" +
		"a=candidate:3 1 udp 2130706431 127.0.0.1 4002 typ host\r\n" +
		"a=candidate:4 1 udp 2130706431 2001:db8::5 4003 typ host\r\n" +
		"a=end-of-candidates\r\na=sendonly\r\n"
	require.Equal(t, answer, addPublic(answer, nil))
	got := addPublic(answer, mustAddr(t, "198.51.100.1", "192.0.2.9", "2001:db8:1::1"))
	var added []string
	for line := range strings.Lines(got) {
		if strings.Contains(line, "srflx") {
			f := strings.Fields(line)
			added = append(added, f[4]+" "+f[5])
			require.Len(t, f, 12)
		}
	}
	require.Equal(t, []string{
		"198.51.100.1 4000", "192.0.2.9 4000", "198.51.100.1 4001", "2001:db8:1::1 4003",
	}, added, "not loopback, not twice, not the other family")
	require.True(t, strings.HasSuffix(got, "a=end-of-candidates\r\na=sendonly\r\n"))
	require.Equal(t, len(answer), len(got)-sum(added, got))
}

// sum is the length of the lines that were added.
func sum(added []string, answer string) int {
	n := 0
	for line := range strings.Lines(answer) {
		for _, a := range added {
			if strings.Contains(line, a+" typ srflx") {
				n += len(line)
			}
		}
	}
	return n
}

// The answer names what is sent and nothing else: the best format of the offer.
func TestOfferIsCutDownToOneFormat(t *testing.T) {
	o, err := parseOffer([]byte(sdpOffer()))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(o.sdp, "a=rtpmap:"), o.sdp)
	require.Contains(t, o.sdp, "profile-level-id=42e01f")
	require.Regexp(t, `m=video 9 UDP/TLS/RTP/SAVPF \d+\r\n`, o.sdp)
}
