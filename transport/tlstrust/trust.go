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

// Trust decides which certificate of a camera is accepted. The zero value trusts the
// system's authorities.
type Trust struct {
	// Fingerprint is the SHA-256 of the camera's certificate, as ParseFingerprint
	// returns it. Only this certificate is accepted, for any name and at any time: most
	// cameras sign theirs themselves. It takes precedence over CA.
	Fingerprint string
	// CA are the certificates, in PEM form, of the authorities to trust instead of the
	// system's.
	CA string
}

// ParseFingerprint returns the SHA-256 of a certificate as Trust needs it: 64
// lower-case hexadecimal digits. It accepts upper case and colons, as browsers and
// OpenSSL print them.
func ParseFingerprint(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.ReplaceAll(strings.TrimPrefix(s, "sha256:"), ":", "")
	if b, err := hex.DecodeString(s); err != nil || len(b) != sha256.Size {
		return "", errors.New("invalid fingerprint: must be the SHA-256 of a certificate, 64 hexadecimal digits with or without colons")
	}
	return s, nil
}

// CheckAuthorities checks certificates in PEM form.
func CheckAuthorities(pem string) error {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)) {
		return errors.New("it contains no certificate in PEM form")
	}
	return nil
}

// Check returns an error for an invalid Trust.
func (t Trust) Check() error {
	if t.Fingerprint != "" {
		if normal, err := ParseFingerprint(t.Fingerprint); err != nil || normal != t.Fingerprint {
			return errors.New("invalid fingerprint: must be 64 lower-case hexadecimal digits")
		}
	}
	if t.CA != "" {
		return CheckAuthorities(t.CA)
	}
	return nil
}

// roots returns the trusted authorities; nil: the system's.
func (t Trust) roots() *x509.CertPool {
	if t.CA == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(t.CA))
	return pool
}

// ClientConfig returns a new TLS configuration for a connection to a host.
func (t Trust) ClientConfig(host string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: t.roots()}
	if t.Fingerprint != "" {
		// The comparison replaces the usual verification.
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = t.pinned
	}
	return cfg
}

// Verify returns why the certificate of an unverified connection to a host is not
// trusted.
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

// pinned compares the certificate of a connection with the fingerprint.
func (t Trust) pinned(st tls.ConnectionState) error {
	if len(st.PeerCertificates) == 0 {
		return &pinError{"(no certificate)"}
	}
	if got := Fingerprint(st.PeerCertificates[0]); got != t.Fingerprint {
		return &pinError{got}
	}
	return nil
}

// pinError: the certificate is not the pinned one.
type pinError struct{ fingerprint string }

func (e *pinError) Error() string {
	return "its certificate has the SHA-256 " + e.fingerprint + ", which is not the pinned one"
}

// MismatchAdvice is the advice for a certificate that is not the pinned one. It is not to
// pin the new one: an attacker in between presents that.
const MismatchAdvice = "check for an attacker in between; if the camera has a new certificate, " +
	"read its fingerprint on the camera itself and set `tls.fingerprint` to that value"

// Refusal is a certificate that was not accepted.
type Refusal struct {
	// Reason says why. It can quote the certificate.
	Reason string
	// Fingerprint is the certificate's; empty if it is not known.
	Fingerprint string
	// Pinned is set if another certificate was pinned.
	Pinned bool
}

// Refused returns the certificate that made a connection fail; nil if it
// failed for another reason.
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

// Fingerprint returns the fingerprint of a certificate in the form of a Trust.
func Fingerprint(c *x509.Certificate) string { return fmt.Sprintf("%x", sha256.Sum256(c.Raw)) }
