package auth

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // what recorders speak
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

const (
	// Realm is what clients are told that the password is for.
	Realm = "Scrim"
	// nonceLife is how long a challenge may be answered.
	nonceLife = 5 * time.Minute
	nonceRand = 8 // bytes
	nonceSum  = 16
)

// Challenge returns the values of WWW-Authenticate for a client at an address.
// The better one comes first, as RFC 7616 wants; FFmpeg and GStreamer, which know
// only MD5, take the last. Stale says that a password need not be asked for again.
func (c *Control) Challenge(from netip.Addr, stale bool) []string {
	nonce := c.nonce(from)
	var said *string
	if stale {
		yes := "TRUE"
		said = &yes
	}
	values := make([]string, 0, 2)
	for _, algorithm := range []headers.AuthAlgorithm{headers.AuthAlgorithmSHA256, headers.AuthAlgorithmMD5} {
		h := headers.Authenticate{Method: headers.AuthMethodDigest, Realm: Realm, Nonce: nonce, Stale: said, Algorithm: &algorithm}
		values = append(values, h.Marshal()...)
	}
	return values
}

// Digest checks the Authorization of a request. fits says whether the URI that
// the client has signed is the one that it asks for. stale is set when ErrMissing
// comes of a challenge that has expired.
func (c *Control) Digest(from netip.Addr, method string, authorization []string, fits func(uri string) bool) (u *User, stale bool, err error) {
	if c.Open() {
		return nil, false, nil
	}
	var h headers.Authorization
	if err := h.Unmarshal(base.HeaderValue(authorization)); err != nil || h.Method != headers.AuthMethodDigest {
		return nil, false, ErrMissing
	}
	if !c.nonceValid(from, h.Nonce) {
		return nil, true, ErrMissing // also another connection's, or one from before a restart
	}
	sum := md5Hex
	if h.Algorithm != nil && *h.Algorithm == headers.AuthAlgorithmSHA256 {
		sum = sha256Hex
	}
	u, err = c.Verify(from, h.Username, func(password string) bool {
		want := sum(sum(h.Username+":"+Realm+":"+password) + ":" + h.Nonce + ":" + sum(method+":"+h.URI))
		return subtle.ConstantTimeCompare([]byte(want), []byte(h.Response)) == 1 && h.Realm == Realm && fits(h.URI)
	})
	return u, false, err
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// nonce is made so that none has to be remembered: the time and something random,
// signed together with the client's address.
func (c *Control) nonce(from netip.Addr) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.now().Unix())) //nolint:gosec // after 1970
	b = append(b, make([]byte, nonceRand)...)
	_, _ = rand.Read(b[8:]) // never fails
	return base64.RawURLEncoding.EncodeToString(append(b, c.sign(b, from)...))
}

func (c *Control) sign(b []byte, from netip.Addr) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write(b)
	m.Write(from.Unmap().AsSlice())
	return m.Sum(nil)[:nonceSum]
}

func (c *Control) nonceValid(from netip.Addr, nonce string) bool {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 8+nonceRand+nonceSum {
		return false
	}
	head := b[:8+nonceRand]
	age := c.now().Sub(time.Unix(int64(binary.BigEndian.Uint64(head)), 0)) //nolint:gosec // signed
	return hmac.Equal(b[len(head):], c.sign(head, from)) && age <= nonceLife
}
