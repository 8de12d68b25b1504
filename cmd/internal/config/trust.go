package config

import (
	"errors"
	"fmt"

	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

// maxCertificateBytes bounds a file with certificates.
const maxCertificateBytes = 256 << 10

// CameraTLS decides which certificate of an rtsps:// camera is accepted. Without it
// the certificate must be signed by one of the system's authorities.
type CameraTLS struct {
	// Fingerprint is the SHA-256 of the camera's certificate, as scrim probe shows it.
	// Only that certificate is accepted. It overrides ca.
	Fingerprint Fingerprint `yaml:"fingerprint"`
	// CA is a PEM file with the authorities that may sign the camera's certificate,
	// instead of the system's.
	CA CertificateFile `yaml:"ca"`
}

// Fingerprint is the SHA-256 of a certificate.
type Fingerprint string

// UnmarshalText accepts 64 hexadecimal digits, with or without colons.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	normal, err := tlstrust.ParseFingerprint(string(text))
	if err != nil {
		return err
	}
	*f = Fingerprint(normal)
	return nil
}

// CertificateFile is a file that holds certificates.
type CertificateFile struct{ path, pem string }

// UnmarshalText accepts a path. Resolve reads the file.
func (c *CertificateFile) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("empty path")
	}
	c.path = string(text)
	return nil
}

// Resolve reads the file.
func (c *CertificateFile) Resolve() error {
	if c.path == "" {
		return nil
	}
	data, err := readBounded(c.path, maxCertificateBytes)
	if err != nil {
		return err
	}
	if err := tlstrust.CheckAuthorities(string(data)); err != nil {
		return fmt.Errorf("%s: %w", c.path, err)
	}
	c.pem = string(data)
	return nil
}

// String returns the path.
func (c CertificateFile) String() string { return c.path }

// MarshalText is String, for JSON and YAML.
func (c CertificateFile) MarshalText() ([]byte, error) { return []byte(c.path), nil }

// file returns the path.
func (c *CertificateFile) file() string { return c.path }

// Trust returns which certificates are accepted; the CA file must have been resolved.
func (c *CameraTLS) Trust() tlstrust.Trust {
	return tlstrust.Trust{Fingerprint: string(c.Fingerprint), CA: c.CA.pem}
}

// Ingest returns the configuration of the camera's RTSP client. It holds the password.
func (c *Camera) Ingest() rtsp.Config {
	return rtsp.Config{
		Camera: string(c.Name), URL: c.Address().String(), Transport: rtsp.Transport(c.Transport), AllowBasic: c.AllowBasic, Trust: c.TLS.Trust(),
	}
}
