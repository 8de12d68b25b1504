package rtsp

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Trust says whose certificate is taken from a camera, with rtsps. The zero value
// trusts those for whom the system's authorities vouch.
type Trust struct {
	// Fingerprint is the SHA-256 of the camera's certificate, as NormalFingerprint
	// returns it. That very certificate is taken, for whatever name and time it is,
	// and no other: cameras mostly sign theirs themselves. It counts more than CA.
	Fingerprint string
	// CA are the certificates in PEM form of the authorities that may vouch for the
	// camera, in place of the system's.
	CA string
}

// NormalFingerprint returns the SHA-256 of a certificate in the form of a Trust:
// 64 small hexadecimal digits. It takes capitals and colons, as browsers and
// OpenSSL write them.
func NormalFingerprint(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.ReplaceAll(strings.TrimPrefix(s, "sha256:"), ":", "")
	if b, err := hex.DecodeString(s); err != nil || len(b) != sha256.Size {
		return "", errors.New("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons")
	}
	return s, nil
}

// CheckAuthorities returns what is wrong with certificates in PEM form.
func CheckAuthorities(pem string) error {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return errors.New("it holds no certificate in PEM form")
	}
	return nil
}

// check returns what is wrong with it.
func (t *Trust) check() error {
	if t.Fingerprint != "" {
		if normal, err := NormalFingerprint(t.Fingerprint); err != nil || normal != t.Fingerprint {
			return errors.New("fingerprint is not 64 small hexadecimal digits")
		}
	}
	if t.CA != "" {
		return CheckAuthorities(t.CA)
	}
	return nil
}

// roots are the authorities that are trusted; nil: the system's.
func (t *Trust) roots() *x509.CertPool {
	if t.CA == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(t.CA))
	return pool
}

// client returns what a connection to a host needs.
func (t *Trust) client(host string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.roots()}
	if t.Fingerprint != "" {
		// The comparison takes the place of the usual verification.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = t.pinned
	}
	return cfg
}

// pinError is that the camera's certificate is not the pinned one.
type pinError struct{ fingerprint string }

func (e *pinError) Error() string {
	return "its certificate has the SHA-256 " + e.fingerprint + ", which is not the one that is pinned"
}

// pinned compares the certificate of a connection.
func (t *Trust) pinned(st tls.ConnectionState) error {
	if len(st.PeerCertificates) == 0 {
		return &pinError{"of none"}
	}
	if got := fingerprint(st.PeerCertificates[0]); got != t.Fingerprint {
		return &pinError{got}
	}
	return nil
}

func fingerprint(c *x509.Certificate) string { return fmt.Sprintf("%x", sha256.Sum256(c.Raw)) }
