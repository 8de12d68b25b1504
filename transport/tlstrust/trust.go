package tlstrust

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Trust says whose certificate is taken from a camera. The zero value trusts those
// for whom the system's authorities vouch.
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

// Check returns what is wrong with it.
func (t Trust) Check() error {
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
func (t Trust) roots() *x509.CertPool {
	if t.CA == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(t.CA))
	return pool
}

// Client returns what a connection to a host needs, new each time.
func (t Trust) Client(host string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.roots()}
	if t.Fingerprint != "" {
		// The comparison takes the place of the usual verification.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = t.pinned
	}
	return cfg
}

// Verify returns why the certificate of a connection that took any is not the one
// to take from a host.
func (t Trust) Verify(st tls.ConnectionState, host string) error {
	if t.Fingerprint != "" || len(st.PeerCertificates) == 0 {
		return t.pinned(st)
	}
	o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool(), Roots: t.roots()}
	for _, p := range st.PeerCertificates[1:] {
		o.Intermediates.AddCert(p)
	}
	_, err := st.PeerCertificates[0].Verify(o)
	return err
}

// pinned compares the certificate of a connection.
func (t Trust) pinned(st tls.ConnectionState) error {
	if len(st.PeerCertificates) == 0 {
		return &pinError{"of none"}
	}
	if got := Fingerprint(st.PeerCertificates[0]); got != t.Fingerprint {
		return &pinError{got}
	}
	return nil
}

// pinError is that the camera's certificate is not the pinned one.
type pinError struct{ fingerprint string }

func (e *pinError) Error() string {
	return "its certificate has the SHA-256 " + e.fingerprint + ", which is not the one that is pinned"
}

// OtherAdvice says what to do where another certificate was pinned. It is not to pin
// the one that came: whoever stands between shows that.
const OtherAdvice = "see whether somebody stands between; if the camera has a new certificate, " +
	"read its fingerprint at the camera itself and set `tls.fingerprint` to that"

// Refusal is a certificate that was not taken.
type Refusal struct {
	// Reason says why; it can quote the certificate.
	Reason string
	// Fingerprint is the certificate's, empty where it is not known.
	Fingerprint string
	// Pinned is set where another certificate was pinned.
	Pinned bool
}

// Refused returns the certificate that made a connection fail; nil: it failed for
// something else.
func Refused(err error) *Refusal {
	if pin, ok := errors.AsType[*pinError](err); ok {
		return &Refusal{Reason: pin.Error(), Fingerprint: pin.fingerprint, Pinned: true}
	}
	cert, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return nil
	}
	r := &Refusal{Reason: cert.Err.Error()}
	if len(cert.UnverifiedCertificates) > 0 {
		r.Fingerprint = Fingerprint(cert.UnverifiedCertificates[0])
	}
	return r
}

// Fingerprint returns a certificate's, as a Trust has it.
func Fingerprint(c *x509.Certificate) string { return fmt.Sprintf("%x", sha256.Sum256(c.Raw)) }
