package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

const (
	// Realm is the protection space that a Server names.
	Realm = "Scrim"
	// NonceLife is how long a challenge may be answered.
	NonceLife  = 5 * time.Minute
	nonceStamp = 8 // bytes
	nonceRand  = 8
	nonceSum   = 16
)

// Server issues challenges and reads the answers, without a quality of protection:
// the form of RFC 2069, which all clients know. It keeps no state: a nonce is the
// time and random bytes, signed together with the client's address. A Server is
// safe for concurrent use.
type Server struct {
	key []byte
	now func() time.Time
}

// NewServer returns a Server with a random key, so that answers to another
// Server's challenges are stale.
func NewServer(now func() time.Time) *Server { return &Server{key: []byte(rand.Text()), now: now} }

// Challenge returns the values of WWW-Authenticate for a client at an address.
// SHA-256 comes first, as RFC 7616 asks; FFmpeg and GStreamer, which know only MD5,
// use the last. Stale tells the client to answer again without asking its user.
func (s *Server) Challenge(from netip.Addr, stale bool) []string {
	h := headers.Authenticate{Method: headers.AuthMethodDigest, Realm: Realm, Nonce: s.nonce(from)}
	if stale {
		yes := "TRUE"
		h.Stale = &yes
	}
	values := make([]string, 0, 2)
	for _, algorithm := range []headers.AuthAlgorithm{headers.AuthAlgorithmSHA256, headers.AuthAlgorithmMD5} {
		h.Algorithm = &algorithm
		values = append(values, h.Marshal()...)
	}
	return values
}

// Answer is a client's answer to a challenge.
type Answer struct {
	// User and URI are what the client claims.
	User, URI string
	h         headers.Authorization
}

// Read returns the answer in the Authorization header of a request from an address.
// It returns nil without a Digest answer, and nil and stale if the answer is to
// another client's, an expired, or another Server's challenge.
func (s *Server) Read(from netip.Addr, authorization []string) (a *Answer, stale bool) {
	a = &Answer{}
	if err := a.h.Unmarshal(base.HeaderValue(authorization)); err != nil || a.h.Method != headers.AuthMethodDigest {
		return nil, false
	}
	if !s.valid(from, a.h.Nonce) {
		return nil, true
	}
	a.User, a.URI = a.h.Username, a.h.URI
	return a, false
}

// Proves reports, in constant time, whether the client knows the password.
func (a *Answer) Proves(method, password string) bool {
	sum := sumOf(a.h.Algorithm != nil && *a.h.Algorithm == headers.AuthAlgorithmSHA256)
	want := sum(sum(a.User+":"+Realm+":"+password) + ":" + a.h.Nonce + ":" + sum(method+":"+a.URI))
	return subtle.ConstantTimeCompare([]byte(want), []byte(a.h.Response)) == 1 && a.h.Realm == Realm
}

func (s *Server) nonce(from netip.Addr) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.now().Unix())) //nolint:gosec // after 1970
	b = append(b, make([]byte, nonceRand)...)
	_, _ = rand.Read(b[nonceStamp:]) // never fails
	return base64.RawURLEncoding.EncodeToString(append(b, s.sign(b, from)...))
}

func (s *Server) sign(b []byte, from netip.Addr) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write(b)
	m.Write(from.Unmap().AsSlice())
	return m.Sum(nil)[:nonceSum]
}

func (s *Server) valid(from netip.Addr, nonce string) bool {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceStamp+nonceRand+nonceSum {
		return false
	}
	head, sum := b[:nonceStamp+nonceRand], b[nonceStamp+nonceRand:]
	age := s.now().Sub(time.Unix(int64(binary.BigEndian.Uint64(head)), 0)) //nolint:gosec // signed
	return hmac.Equal(sum, s.sign(head, from)) && age <= NonceLife
}
