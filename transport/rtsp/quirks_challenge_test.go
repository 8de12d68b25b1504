package rtsp

import (
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"
)

func TestTheChallengeThatWorksIsChosen(t *testing.T) {
	const (
		basic     = `Basic realm="cam"`
		md5       = `Digest realm="cam", nonce="1"`
		md5qop    = `Digest realm="cam", nonce="1", algorithm=MD5, qop="auth"`
		sha       = `Digest realm="cam", nonce="1", algorithm=SHA-256`
		integrity = `Digest realm="cam", nonce="1", qop="auth-int"`
		both      = `Digest realm="cam", nonce="1", qop="auth-int,auth"`
		shaqop    = `Digest realm="cam", nonce="1", algorithm=SHA-256, qop="auth"`
	)
	tests := []struct {
		name    string
		offered base.HeaderValue
		basic   bool
		keep    base.HeaderValue
		refused bool
	}{
		{"SHA-256 with qop would win and fail", base.HeaderValue{shaqop, md5}, false, base.HeaderValue{md5}, false},
		{"also the other way round", base.HeaderValue{md5, shaqop}, false, base.HeaderValue{md5}, false},
		{"both with qop: MD5 is mostly accepted without", base.HeaderValue{shaqop, md5qop}, false, base.HeaderValue{md5qop}, false},
		{"SHA-256 without qop works", base.HeaderValue{md5, sha}, false, base.HeaderValue{sha}, false},
		{"only SHA-256 with qop", base.HeaderValue{shaqop, basic}, true, base.HeaderValue{shaqop}, false},
		{"Digest before Basic", base.HeaderValue{basic, md5qop}, true, base.HeaderValue{md5qop}, false},
		{"Basic refused", base.HeaderValue{basic}, false, nil, true},
		{"Basic allowed", base.HeaderValue{basic}, true, base.HeaderValue{basic}, false},
		{"Digest saves from Basic", base.HeaderValue{basic, md5}, false, base.HeaderValue{md5}, false},
		{"spelling", base.HeaderValue{`digest realm="cam", nonce="1"`}, false, base.HeaderValue{md5}, false},
		{"qop in a realm is none", base.HeaderValue{`Digest realm="a, qop=b", nonce="1"`, md5qop}, false,
			base.HeaderValue{`Digest realm="a, qop=b", nonce="1"`}, false},
		{"a body's digest is not computed", base.HeaderValue{integrity}, false, nil, false},
		{"another next to it", base.HeaderValue{integrity, shaqop}, false, base.HeaderValue{shaqop}, false},
		{"Basic next to it", base.HeaderValue{integrity, basic}, true, base.HeaderValue{basic}, false},
		{"both of them", base.HeaderValue{both}, false, base.HeaderValue{both}, false},
		{"unknown", base.HeaderValue{`Bearer realm="cam"`, "", "Digest"}, true, nil, false},
		{"nothing", nil, true, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := chooseChallenge(tt.offered, tt.basic)
			require.Equal(t, tt.keep, c.keep)
			require.Equal(t, tt.refused, c.basicRefused)
			require.Equal(t, len(tt.offered) > 0 && tt.keep == nil && !tt.refused, c.unsupported)
		})
	}
	require.True(t, chooseChallenge(base.HeaderValue{md5 + `, stale=TRUE`}, false).stale)
}

func FuzzChooseChallenge(f *testing.F) {
	f.Add(`Digest realm="a", nonce="b", qop="auth", stale=true`, `Basic realm="x"`)
	f.Add(`digest qop=auth`, `"`)
	f.Fuzz(func(t *testing.T, a, b string) {
		c := chooseChallenge(base.HeaderValue{a, b}, false)
		require.LessOrEqual(t, len(c.keep), 1)
		for _, k := range c.keep {
			require.NotContains(t, k[:6], "Basic")
		}
	})
}
