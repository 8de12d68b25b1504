package digest

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
)

// Challenge is a camera's request for a password.
type Challenge struct {
	realm, nonce, opaque, algorithm string
	qop                             bool
}

// parameterRE matches a parameter of a challenge.
var parameterRE = regexp.MustCompile(`([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))`)

// Choose picks the strongest Digest challenge that can be answered; nil if there is
// none. A challenge with a quality of protection other than "auth" cannot be
// answered: the attempt would be a bad login, which cameras count. Basic is never
// answered: it would send the password in clear.
func Choose(offered []string) (best *Challenge) {
	for _, v := range offered {
		if len(v) < 7 || !strings.EqualFold(v[:7], "digest ") {
			continue
		}
		c, hasQOP := Challenge{algorithm: "MD5"}, false
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
					q = strings.TrimSpace(q)
					hasQOP = hasQOP || q != ""
					c.qop = c.qop || strings.EqualFold(q, "auth")
				}
			}
		}
		if hasQOP && !c.qop {
			continue
		}
		if c.algorithm == "SHA-256" || c.algorithm == "MD5" && best == nil {
			best = &c
		}
	}
	return best
}

// Answer returns the Authorization header for one request.
func (c *Challenge) Answer(method, uri, user, password string) string {
	sum := sumOf(c.algorithm == "SHA-256")
	ha1, ha2 := sum(user+":"+c.realm+":"+password), sum(method+":"+uri)
	out := fmt.Sprintf(`Digest username=%s, realm=%s, nonce=%s, uri=%s, algorithm=%s`, quoted(user), quoted(c.realm), quoted(c.nonce), quoted(uri), c.algorithm)
	if c.qop {
		cnonce := rand.Text() // a new one for each request, so that nc stays 1
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

// QOP reports whether the answer names a quality of protection.
func (c *Challenge) QOP() bool { return c.qop }

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
