package onvif

import (
	"crypto/md5" //nolint:gosec // what cameras ask for
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// challenge is a Digest challenge of HTTP (RFC 7616), which some devices want in
// place of WS-Security.
type challenge struct {
	realm, nonce, opaque, algorithm string
	qop                             bool
}

// parameterRE matches a parameter of a challenge.
var parameterRE = regexp.MustCompile(`([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))`)

// digestChallenge picks the Digest challenge that can be answered best; nil when
// there is none. Basic never is: it would send the password in clear.
func digestChallenge(offered []string) (best *challenge) {
	for _, v := range offered {
		if len(v) < 7 || !strings.EqualFold(v[:7], "digest ") {
			continue
		}
		c := challenge{algorithm: "MD5"}
		for _, m := range parameterRE.FindAllStringSubmatch(v[7:], -1) {
			value := m[2] + m[3]
			switch strings.ToLower(m[1]) {
			case "realm":
				c.realm = value
			case "nonce":
				c.nonce = value
			case "opaque":
				c.opaque = value
			case "algorithm":
				c.algorithm = strings.ToUpper(value)
			case "qop":
				for q := range strings.SplitSeq(value, ",") {
					c.qop = c.qop || strings.TrimSpace(q) == "auth"
				}
			}
		}
		if c.algorithm == "SHA-256" || c.algorithm == "MD5" && best == nil {
			best = &c
		}
	}
	return best
}

// answer returns the Authorization header for one request.
func (c *challenge) answer(method, uri, user, password string) string {
	sum := func(s string) string {
		h := sha256.New()
		if c.algorithm == "MD5" {
			h = md5.New() //nolint:gosec // what cameras ask for
		}
		h.Write([]byte(s))
		return hex.EncodeToString(h.Sum(nil))
	}
	ha1, ha2 := sum(user+":"+c.realm+":"+password), sum(method+":"+uri)
	out := fmt.Sprintf(`Digest username=%s, realm=%s, nonce=%s, uri=%s, algorithm=%s`, quoted(user), quoted(c.realm), quoted(c.nonce), quoted(uri), c.algorithm)
	if c.qop {
		b := make([]byte, 8)
		_, _ = rand.Read(b) // never fails
		cnonce := hex.EncodeToString(b)
		// A client nonce of its own for each request, so that the count stays 1.
		response := sum(ha1 + ":" + c.nonce + ":00000001:" + cnonce + ":auth:" + ha2)
		out += fmt.Sprintf(`, response="%s", qop=auth, nc=00000001, cnonce="%s"`, response, cnonce)
	} else {
		out += fmt.Sprintf(`, response="%s"`, sum(ha1+":"+c.nonce+":"+ha2))
	}
	if c.opaque != "" {
		out += ", opaque=" + quoted(c.opaque)
	}
	return out
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
