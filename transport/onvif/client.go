package onvif

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"scrim/transport"
	"scrim/transport/auth/digest"
	"scrim/transport/onvif/soap"
	"scrim/transport/tlstrust"
)

// DefaultTimeout bounds each call.
const DefaultTimeout = 5 * time.Second

// Classes of errors.
var (
	// ErrUnreachable: nothing listens there, or it does not answer.
	ErrUnreachable = errors.New("ONVIF: no answer")
	// ErrNotONVIF: the answer is not from an ONVIF device.
	ErrNotONVIF = errors.New("not an ONVIF device")
	// ErrCredentials: the device requires user and password and none were set, or it
	// refused them. Refused ones are not tried again.
	ErrCredentials = errors.New("ONVIF: credentials refused")
	// ErrCertificate: the device's https certificate is not trusted. It is in a
	// *CertificateError.
	ErrCertificate = errors.New("ONVIF: certificate not trusted")
	// ErrFault: the device refuses the request.
	ErrFault = errors.New("ONVIF: the device refuses")
)

// CertificateError contains the certificate of a device that is not trusted.
type CertificateError struct {
	tlstrust.Refusal
	host string
}

// Error implements error.
func (e *CertificateError) Error() string {
	return ErrCertificate.Error() + " at " + e.host + ": " + plain(e.Reason)
}

// Unwrap returns ErrCertificate.
func (e *CertificateError) Unwrap() error { return ErrCertificate }

// Config describes a device.
type Config struct {
	// Address is the URL of the device service, such as
	// http://192.0.2.10/onvif/device_service.
	Address string
	// User and Password are sent when the device requires them; none if User is empty.
	User, Password string
	// Trust decides which certificate is accepted with https.
	Trust tlstrust.Trust
	// Timeout bounds each call; 0: DefaultTimeout.
	Timeout time.Duration
}

// Client asks one device. It is not safe for concurrent use.
type Client struct {
	cfg    Config
	device *url.URL
	media  *url.URL
	http   *http.Client
	// skew is by how much the device's clock is ahead of this machine's.
	skew time.Duration
	// protected is set when the device has required credentials, refused when it has
	// refused them. Quirk (cameras): they lock accounts after about five failed logins;
	// see docs/quirks.md.
	protected, refused bool
	digest             *digest.Challenge // of HTTP, if the device requires it
}

// New returns a client that has not connected yet. The caller closes it.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return nil, errors.New("ONVIF: invalid address: must be http://HOST[:PORT]/onvif/device_service, without a user")
	}
	if err := cfg.Trust.Check(); err != nil {
		return nil, fmt.Errorf("ONVIF: tls: %w", err)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	c := &Client{cfg: cfg, device: u}
	c.http = &http.Client{
		Timeout: cfg.Timeout,
		// No proxy: a camera is in the local network.
		Transport: &http.Transport{
			DialContext: (&net.Dialer{}).DialContext, TLSClientConfig: cfg.Trust.ClientConfig(u.Hostname()), // the only host that is called
			MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 1,
		},
		// A redirect leads to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close closes the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Refused reports whether the device has refused the credentials.
func (c *Client) Refused() bool { return c.refused }

// call sends a request and decodes the body of the answer. It sends credentials only
// after the device has required them.
func (c *Client) call(ctx context.Context, to *url.URL, request, answer any) error {
	name := xmlName(request)
	if !c.protected {
		err := c.send(ctx, to, name, request, answer, false)
		if !errors.Is(err, ErrCredentials) {
			return err
		}
		c.protected = true
		if c.cfg.User == "" {
			return fmt.Errorf("%w: %s requires user and password, and none are set", ErrCredentials, name)
		}
	}
	if c.refused || c.cfg.User == "" {
		return fmt.Errorf("%w: %s requires different ones", ErrCredentials, name)
	}
	err := c.send(ctx, to, name, request, answer, true)
	c.refused = errors.Is(err, ErrCredentials)
	return err
}

func (c *Client) send(ctx context.Context, to *url.URL, name string, request, answer any, login bool) error {
	var header any
	if login && c.digest == nil {
		header = soap.NewSecurity(c.cfg.User, c.cfg.Password, time.Now().Add(c.skew))
	}
	body, err := soap.Envelope(header, request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ONVIF: %s: invalid address of the device", name)
	}
	req.Header.Set("Content-Type", soap.ContentType)
	req.Header.Set("User-Agent", "scrim")
	if login && c.digest != nil {
		req.Header.Set("Authorization", c.digest.Answer(http.MethodPost, to.RequestURI(), c.cfg.User, c.cfg.Password))
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r := tlstrust.Refused(err); r != nil {
			return &CertificateError{*r, to.Host}
		}
		return fmt.Errorf("%w to %s at %s: %s", ErrUnreachable, name, to.Host, plain(cause(err)))
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, soap.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("%w to %s at %s: %s", ErrUnreachable, name, to.Host, plain(err.Error()))
	}
	m, err := soap.Parse(data)
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		c.digest = digest.Choose(res.Header.Values("WWW-Authenticate"))
		return fmt.Errorf("%w: %s", ErrCredentials, name)
	case res.StatusCode == http.StatusForbidden && login:
		return fmt.Errorf("%w: %s", ErrCredentials, name)
	case err != nil:
		return fmt.Errorf("%w at %s: HTTP status %d, %s", ErrNotONVIF, to.Host, res.StatusCode, plain(err.Error()))
	case m.Body.Fault != nil && m.Body.Fault.NotAuthorized():
		return fmt.Errorf("%w: %s", ErrCredentials, name)
	case m.Body.Fault != nil:
		return fmt.Errorf("%w %s: %s", ErrFault, name, plain(m.Body.Fault.Error()))
	}
	// Content is part of the checked document. It lacks outer namespaces, which do not
	// matter.
	if err := xml.Unmarshal(bytes.TrimSpace(m.Body.Content), answer); err != nil {
		return fmt.Errorf("%w at %s: invalid answer to %s", ErrNotONVIF, to.Host, name)
	}
	return nil
}

// at returns the address of a service at xaddr, always on the requested host. Cameras
// behind NAT name addresses that are not theirs.
func (c *Client) at(xaddr string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(xaddr))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(xaddr) > 1024 {
		return nil
	}
	to := &url.URL{Scheme: c.device.Scheme, Host: c.device.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	// Never change from TLS to plain HTTP.
	if u.Hostname() == c.device.Hostname() && (u.Scheme == "https" || c.device.Scheme == "http") {
		to.Scheme, to.Host = u.Scheme, u.Host
	}
	return to
}

// cause returns the text of a net/http error without the URL.
func cause(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if u.Timeout() {
			return "timeout"
		}
		err = u.Err
	}
	return err.Error()
}

// maxText bounds a device's text, in bytes.
const maxText = 128

// plain makes a device's text fit for one line.
func plain(s string) string { return transport.Plain(s, maxText) }
