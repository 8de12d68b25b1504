package rtsp

import (
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"

	"scrim/transport/auth/digest"
)

// challenges is what a camera's WWW-Authenticate headers offer.
type challenges struct {
	// keep is the one that gortsplib shall answer; empty when there is none.
	keep base.HeaderValue
	// basicRefused is set when Basic was the only one, and not allowed.
	basicRefused bool
	// unsupported is set when there were some, and none that can be answered.
	unsupported bool
	// stale is set when the camera says that not the password but the nonce is
	// old (RFC 7616, section 3.3).
	stale bool
}

// chooseChallenge picks the one challenge that works best. TRAPS: left alone
// gortsplib prefers SHA-256 even where the camera asks for qop, which it cannot
// answer (this package does, see authorize), and fails against a camera whose MD5
// would have worked. Without qop both work, and are taken first. Basic comes last,
// and only where the password does not travel in clear.
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
			if qop && digest.Choose([]string{v}) == nil { // only auth-int, say
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

// normalChallenge gives the scheme the one spelling that gortsplib knows; it is
// case-insensitive by RFC 9110, section 11.1.
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

// hasQOP reports whether a challenge has a qop parameter. Quoted strings are
// skipped: a realm may hold anything.
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
	// The scheme's name runs into the first parameter.
	plain := strings.TrimPrefix(b.String(), "digest")
	for p := range strings.SplitSeq(plain, ",") {
		if strings.HasPrefix(p, "qop=") {
			return true
		}
	}
	return false
}
