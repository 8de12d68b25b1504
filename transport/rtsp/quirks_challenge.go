package rtsp

import (
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"scrim/transport/auth/digest"
)

// challenges is the content of a camera's WWW-Authenticate headers.
type challenges struct {
	// keep is the challenge that gortsplib answers; empty if there is none.
	keep base.HeaderValue
	// basicRefused is set if only Basic was offered, which is not allowed.
	basicRefused bool
	// unsupported is set if none of the challenges can be answered.
	unsupported bool
	// stale is set if the camera reports an expired nonce, not a wrong password (RFC
	// 7616, section 3.3).
	stale bool
}

// chooseChallenge picks the challenge that works best. Quirk (gortsplib v4.16.2): it
// prefers SHA-256 even with qop, which it cannot answer, and fails on a camera whose
// MD5 would have worked; see docs/quirks.md. This package answers qop itself (see
// authorize). Challenges without qop come first. Basic comes last, and only if the
// password is not sent in clear.
func chooseChallenge(offered base.HeaderValue, basicAllowed bool) challenges {
	var c challenges
	best := 0
	for _, v := range offered {
		v = normalChallenge(v)
		var h headers.Authenticate
		if h.Unmarshal(base.HeaderValue{v}) != nil {
			continue
		}
		rank := 1
		if h.Method == headers.AuthMethodDigest {
			if h.Stale != nil && strings.EqualFold(*h.Stale, "true") {
				c.stale = true
			}
			sha := h.Algorithm != nil && *h.Algorithm == headers.AuthAlgorithmSHA256
			qop := hasQOP(v)
			if qop && digest.Choose([]string{v}) == nil { // such as auth-int only
				continue
			}
			switch {
			case sha && qop:
				rank = 2
			case qop:
				rank = 3
			case sha:
				rank = 5
			default:
				rank = 4
			}
		} else if !basicAllowed {
			c.basicRefused = true
			continue
		}
		if rank > best {
			best, c.keep = rank, base.HeaderValue{v}
		}
	}
	c.basicRefused = c.basicRefused && best == 0
	c.unsupported = len(offered) > 0 && best == 0 && !c.basicRefused
	return c
}

// normalChallenge spells the scheme as gortsplib expects it. Schemes are
// case-insensitive (RFC 9110, section 11.1).
func normalChallenge(v string) string {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(v), " ")
	if !ok {
		return v
	}
	for _, s := range []string{"Digest", "Basic"} {
		if strings.EqualFold(scheme, s) {
			return s + " " + strings.TrimSpace(rest)
		}
	}
	return v
}

// hasQOP reports whether a challenge has a qop parameter. It skips quoted strings: a
// realm may contain anything.
func hasQOP(v string) bool {
	var b strings.Builder
	quoted := false
	for _, r := range strings.ToLower(v) {
		switch {
		case r == '"':
			quoted = !quoted
		case !quoted && r != ' ':
			b.WriteRune(r)
		}
	}
	// The scheme precedes the first parameter.
	plain := strings.TrimPrefix(b.String(), "digest")
	for p := range strings.SplitSeq(plain, ",") {
		if strings.HasPrefix(p, "qop=") {
			return true
		}
	}
	return false
}
