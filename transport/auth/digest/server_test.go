package digest

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The two ends of the package understand each other.
func TestServerAcceptsTheClientsAnswer(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := NewServer(func() time.Time { return now })
	from := netip.MustParseAddr("192.0.2.1")
	for i, offered := range s.Challenge(from, false) {
		c := Choose([]string{offered})
		require.NotNil(t, c)
		require.Equal(t, []string{"SHA-256", "MD5"}[i], c.algorithm)
		header := []string{c.Answer("DESCRIBE", "rtsp://h/x", "u", "p")}
		a, stale := s.Read(from, header)
		require.False(t, stale)
		require.Equal(t, []string{"u", "rtsp://h/x"}, []string{a.User, a.URI})
		require.True(t, a.Proves("DESCRIBE", "p"))
		require.False(t, a.Proves("DESCRIBE", "q"))
		require.False(t, a.Proves("SETUP", "p"))
		mapped, _ := s.Read(netip.MustParseAddr("::ffff:192.0.2.1"), header)
		require.NotNil(t, mapped, "the same address")
		other, _ := s.Read(from, []string{strings.Replace(header[0], `realm="Scrim"`, `realm="Other"`, 1)})
		require.False(t, other.Proves("DESCRIBE", "p"))
		for _, elsewhere := range []struct {
			s    *Server
			from netip.Addr
		}{{NewServer(s.now), from}, {s, netip.MustParseAddr("192.0.2.2")}} {
			a, stale := elsewhere.s.Read(elsewhere.from, header)
			require.Nil(t, a)
			require.True(t, stale)
		}
	}
}

func TestChallengeExpires(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := NewServer(func() time.Time { return now })
	from := netip.MustParseAddr("2001:db8::1")
	header := []string{Choose(s.Challenge(from, false)).Answer("GET", "/", "u", "p")}
	now = now.Add(NonceLife)
	a, _ := s.Read(from, header)
	require.NotNil(t, a)
	now = now.Add(time.Second)
	a, stale := s.Read(from, header)
	require.Nil(t, a)
	require.True(t, stale)
}
