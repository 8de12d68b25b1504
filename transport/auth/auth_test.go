package auth

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"

	"scrim/transport/auth/digest"
)

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
)

const (
	password = "correct horse"
	target   = "rtsp://host:8554/hall"
)

// control returns one whose clock stands still until it is moved.
func control(t *testing.T) (*Control, *time.Time) {
	t.Helper()
	c, err := New([]User{{Name: "nvr", Password: password, Cameras: []string{"hall"}}, {Name: "guard", Password: "other"}}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	now := time.Unix(1_700_000_000, 0)
	c.now = func() time.Time { return now }
	return c, &now
}

// sign answers one of the challenges as gortsplib's client does.
func sign(t *testing.T, challenge, user, password string) []string {
	t.Helper()
	s := &auth.Sender{WWWAuth: base.HeaderValue{challenge}, User: user, Pass: password}
	require.NoError(t, s.Initialize())
	u, err := base.ParseURL(target)
	require.NoError(t, err)
	req := &base.Request{Method: base.Describe, URL: u, Header: base.Header{}}
	s.AddAuthorization(req)
	return req.Header["Authorization"]
}

func try(c *Control, from netip.Addr, authorization []string) (*User, bool, error) {
	return c.Digest(from, "DESCRIBE", authorization, func(uri string) bool { return uri == target })
}

func TestEitherDigestIsAccepted(t *testing.T) {
	c, _ := control(t)
	challenges := c.Challenge(here, false)
	require.Len(t, challenges, 2)
	require.Contains(t, challenges[0], "SHA-256")
	require.Contains(t, challenges[1], "MD5", "the last, for clients that know nothing else")
	for _, challenge := range challenges {
		u, _, err := try(c, here, sign(t, challenge, "nvr", password))
		require.NoError(t, err, challenge)
		require.Equal(t, "nvr", u.Name)
		require.True(t, u.MayWatch("hall"))
		require.False(t, u.MayWatch("yard"))
		_, _, err = try(c, here, sign(t, challenge, "nvr", "wrong"))
		require.ErrorIs(t, err, ErrRefused)
		_, _, err = try(c, here, sign(t, challenge, "nobody", password))
		require.ErrorIs(t, err, ErrRefused)
	}
}

func TestAnswerToAnotherChallengeGetsANewOne(t *testing.T) {
	c, now := control(t)
	signed := sign(t, c.Challenge(here, false)[0], "nvr", password)
	_, stale, err := try(c, there, signed)
	require.ErrorIs(t, err, ErrMissing, "a nonce is for one address")
	require.True(t, stale)
	*now = now.Add(digest.NonceLife + time.Second)
	_, stale, err = try(c, here, signed)
	require.ErrorIs(t, err, ErrMissing, "and for some minutes")
	require.True(t, stale)
	require.Contains(t, c.Challenge(here, true)[1], `stale="TRUE"`)
	for _, bad := range [][]string{nil, {""}, {"Basic bnZyOmNvcnJlY3QgaG9yc2U="}, {"Digest"}, {"Digest username=nvr"}, {signed[0], signed[0]}} {
		_, _, err := try(c, here, bad)
		require.ErrorIs(t, err, ErrMissing, "%q", bad)
	}
	_, _, err = c.Digest(here, "DESCRIBE", sign(t, c.Challenge(here, false)[0], "nvr", password), func(string) bool { return false })
	require.ErrorIs(t, err, ErrRefused, "another URI")
}

func TestGuessingIsSlowedDown(t *testing.T) {
	c, now := control(t)
	wrong := func(string) bool { return false }
	right := func(p string) bool { return p == password }
	for range guesses {
		_, err := c.Verify(here, "nvr", wrong)
		require.ErrorIs(t, err, ErrRefused)
	}
	_, err := c.Verify(here, "nvr", right)
	require.ErrorIs(t, err, ErrLocked, "also when it would be right")
	_, err = c.Verify(there, "nvr", right)
	require.NoError(t, err, "others are not locked out")
	_, err = c.Verify(here, "guard", func(p string) bool { return p == "other" })
	require.NoError(t, err, "another user at the same address is not locked out")
	*now = now.Add(guessInterval)
	_, err = c.Verify(here, "nvr", right)
	require.NoError(t, err)
}

func TestUnknownUsersCostAsMuchAsKnownOnes(t *testing.T) {
	c, _ := control(t)
	for _, name := range []string{"nvr", "nobody", ""} {
		checked := 0
		_, err := c.Verify(here, name, func(password string) bool {
			require.NotEmpty(t, password)
			checked++
			return false
		})
		require.ErrorIs(t, err, ErrRefused)
		require.Equal(t, 1, checked, name)
	}
}

func TestLockoutIsLoggedOnce(t *testing.T) {
	var log strings.Builder
	c, now := control(t)
	c.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindTime {
			a.Value = slog.StringValue(a.Value.Time().UTC().Format(time.RFC3339))
		}
		return a
	}}))
	wrong := func(from netip.Addr, name string) {
		_, err := c.Verify(from, name, func(string) bool { return false })
		require.Error(t, err)
	}
	held := func() int { return strings.Count(log.String(), "too many failed logins") }
	for range guesses - 1 {
		wrong(here, "nvr")
	}
	require.Zero(t, held())
	wrong(here, "nvr")
	require.Contains(t, log.String(), "level=WARN msg=\"too many failed logins ")
	require.Contains(t, log.String(), "user=nvr from=192.0.2.1 until=2023-11-14T22:13:30Z\n")
	for range 1000 { // a recorder with an old password
		wrong(here, "nvr")
		*now = now.Add(guessInterval / 3)
	}
	require.Equal(t, 1, held())
	require.NotContains(t, log.String(), password)

	*now = now.Add(guesses * guessInterval)
	for range guesses {
		wrong(here, "nvr")
		wrong(netip.MustParseAddr("2001:db8::99"), "s3cret as a name")
	}
	require.Equal(t, 3, held(), "another time, and another user")
	require.Contains(t, log.String(), `user="(unknown user)" from=2001:db8::/64`)
	require.NotContains(t, log.String(), "s3cret")

	*now = now.Add(time.Hour)
	for i := range 100 { // from many addresses
		for range guesses {
			wrong(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), "nvr")
		}
	}
	require.Equal(t, 3+lockoutLines, held())
	*now = now.Add(lockoutInterval)
	for range guesses {
		wrong(there, "nvr")
	}
	require.Contains(t, log.String(), fmt.Sprint("others=", 100-lockoutLines))
}

func TestGuessersAreBounded(t *testing.T) {
	c, now := control(t)
	for i := range 3 * maxGuessers {
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		_, err := c.Verify(from, fmt.Sprint("name", i), func(string) bool { return true })
		require.ErrorIs(t, err, ErrRefused)
	}
	require.LessOrEqual(t, len(c.throttle.guessers), maxGuessers)
	*now = now.Add(time.Hour)
	// A network of IPv6 is one.
	for i := range 20 {
		_, _ = c.Verify(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)}), "nvr", func(string) bool { return false })
	}
	_, err := c.Verify(netip.MustParseAddr("2001:db8::99"), "nvr", func(string) bool { return true })
	require.ErrorIs(t, err, ErrLocked)
}

func TestInvalidUsersAreRefused(t *testing.T) {
	for _, users := range [][]User{
		{{Name: "", Password: password}}, {{Name: `a"b`, Password: password}}, {{Name: "a", Password: ""}},
		{{Name: "a", Password: password}, {Name: "a", Password: password}}, {{Name: "a", Password: password, Cameras: []string{"No"}}},
		{{Name: strings.Repeat("a", 65), Password: password}},
	} {
		_, err := New(users, slog.New(slog.DiscardHandler))
		require.Error(t, err, "%v", users)
		require.NotContains(t, err.Error(), password)
	}
	c, err := New(nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	u, _, err := try(c, here, nil)
	require.NoError(t, err)
	require.True(t, u.MayWatch("anything"))
}

func FuzzDigest(f *testing.F) {
	c, err := New([]User{{Name: "nvr", Password: password}}, slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(digest.Choose(c.Challenge(here, false)).Answer("DESCRIBE", "rtsp://host/hall", "nvr", "wrong"))
	f.Add("Digest =,")
	f.Add(`Basic bnZyOng=`)
	f.Fuzz(func(t *testing.T, header string) {
		u, _, err := c.Digest(here, "DESCRIBE", []string{header}, func(string) bool { return true })
		if u != nil || err == nil {
			t.Fatalf("%q was let in", header)
		}
	})
}
