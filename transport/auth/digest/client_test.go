package digest

import (
	"crypto/md5" //nolint:gosec // what cameras ask for
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of RFC 2617, section 3.5, but for its client nonce.
func TestDigestWithoutQOPIsThatOfTheRFC(t *testing.T) {
	c := Choose([]string{`Basic realm="x"`, `Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc"`})
	require.NotNil(t, c)
	require.Contains(t, c.Answer("GET", "/dir/index.html", "Mufasa", "CircleOfLife"), `response="1949323746fe6a43ef61f9606e7febea"`)
	require.False(t, c.QOP())
	require.Nil(t, Choose([]string{`Basic realm="x"`}))
	require.Equal(t, "SHA-256", Choose([]string{`Digest realm="a", algorithm=SHA-256`, `digest realm="a", algorithm=MD5`}).algorithm)
}

// An answer without the body's digest would be a bad login.
func TestDigestThatProtectsTheBodyIsNotAnswered(t *testing.T) {
	for _, qop := range []string{`"auth-int"`, `auth-int`, `" auth-int "`, `"x,auth-int"`} {
		require.Nil(t, Choose([]string{`Digest realm="a", nonce="n", qop=` + qop}), qop)
		c := Choose([]string{`Digest realm="a", nonce="n", algorithm=SHA-256, qop=` + qop, `Digest realm="a", nonce="n", qop="auth"`})
		require.NotNil(t, c)
		require.Equal(t, "MD5", c.algorithm)
	}
	for _, qop := range []string{`"auth,auth-int"`, `"AUTH"`, `auth`} {
		require.True(t, Choose([]string{`Digest realm="a", nonce="n", qop=` + qop}).QOP(), qop)
	}
	require.False(t, Choose([]string{`Digest realm="a", nonce="n", qop=""`}).QOP())
}

func TestDigestWithQOPCountsTheClientNonce(t *testing.T) {
	for algorithm, sum := range map[string]func(string) string{
		"MD5":     func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }, //nolint:gosec // what cameras ask for
		"SHA-256": func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) },
	} {
		c := Choose([]string{`Digest realm="r", nonce="n", algorithm=` + algorithm + `, qop="auth-int, auth"`})
		require.True(t, c.QOP())
		answer := c.Answer("DESCRIBE", "rtsp://h/x", "u", "p")
		require.NotEqual(t, answer, c.Answer("DESCRIBE", "rtsp://h/x", "u", "p"))
		got := map[string]string{}
		for _, m := range parameterRE.FindAllStringSubmatch(answer, -1) {
			got[m[1]] = m[2] + m[3]
		}
		require.Equal(t, "00000001", got["nc"])
		require.Equal(t, sum(sum("u:r:p")+":n:00000001:"+got["cnonce"]+":auth:"+sum("DESCRIBE:rtsp://h/x")), got["response"])
	}
}
