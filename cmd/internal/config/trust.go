package config

import (
	"fmt"

	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

// maxCertificateBytes bounds a file with certificates.
const maxCertificateBytes = 256 << 10

// CameraTLS says whose certificate is taken from a camera with rtsps://. Without
// it the system's authorities must vouch for the camera.
type CameraTLS struct {
	// Fingerprint is the SHA-256 of the camera's own certificate, as scrim probe
	// shows it: that very one is taken and no other. It counts more than ca.
	Fingerprint Fingerprint `yaml:"fingerprint"`
	// CA is a file with the certificates, in PEM form, of the authorities that may
	// vouch for the camera, in place of the system's.
	CA CertificateFile `yaml:"ca"`
}

// Fingerprint is the SHA-256 of a certificate.
type Fingerprint string

// UnmarshalText takes 64 hexadecimal digits, with or without colons.
func (f *Fingerprint) UnmarshalText(text []byte) error {
	normal, err := tlstrust.NormalFingerprint(string(text))
	if err != nil {
		return err
	}
	*f = Fingerprint(normal)
	return nil
}

// CertificateFile is a file that holds certificates.
type CertificateFile struct{ path, pem string }

// UnmarshalText takes a path. Resolve reads the file.
func (c *CertificateFile) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return fmt.Errorf("the path of a file is empty")
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

// Trust returns whose certificate is taken; its file must have been read.
func (c *CameraTLS) Trust() tlstrust.Trust {
	return tlstrust.Trust{Fingerprint: string(c.Fingerprint), CA: c.CA.pem}
}

// Ingest returns what a camera's client needs to know. It holds the password.
func (c *Camera) Ingest() rtsp.Config {
	return rtsp.Config{
		Camera: string(c.Name), URL: c.Address().String(), Transport: rtsp.Transport(c.Transport), AllowBasic: c.AllowBasic, Trust: c.TLS.Trust(),
	}
}
