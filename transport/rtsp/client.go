package rtsp

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"scrim/transport"
)

// maxRedirects bounds how often a camera may redirect the client.
const maxRedirects = 3

// Client receives access units from one camera.
type Client struct {
	cfg Config
	url *base.URL
	// secrets must not appear in quoted text.
	secrets []string
}

// NewClient checks cfg and returns a client that has not connected yet. The
// error is an *Error of class ErrConfig.
func NewClient(cfg Config) (*Client, error) {
	if reason, advice := cfg.validate(); reason != "" {
		return nil, &Error{Camera: quote(cfg.Camera), Class: ErrConfig, Reason: reason, Advice: advice}
	}
	u, err := parseURL(cfg.URL)
	if err != nil {
		return nil, &Error{Camera: cfg.Camera, Class: ErrConfig, Reason: "url " + err.Error()}
	}
	c := &Client{cfg: cfg, url: u}
	if pass, ok := u.User.Password(); ok && pass != "" {
		user := u.User.String()
		c.secrets = []string{
			base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + pass)),
			user, strings.TrimPrefix(user, u.User.Username()+":"), pass,
		}
	}
	return c, nil
}

// URL returns the camera's URL without credentials, fit to be shown.
func (c *Client) URL() string { return redact(c.url) }

// Run connects once and calls onUnit with every complete access unit. It returns
// ctx's error when ctx ends, and an *Error of one of this package's classes when the
// connection fails. It does not reconnect: the caller waits for Backoff.NextDelay and
// calls Run again. Nothing that Run started is left when it returns.
//
// onUnit is called on one goroutine, in the order of arrival. It must pass the
// unit on and return: while it runs, nothing is read, and Run cannot end.
//
// The first unit has a Gap of kind GapConnected. A later unit has a Gap exactly when
// something is missing since the previous unit. Incomplete units are not delivered;
// the Gap of the next unit says why.
func (c *Client) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	return c.connect(ctx, func(u *base.URL, proto Transport) (*session, error) {
		s := newSession(c, u, proto, onUnit)
		return s, s.run(ctx)
	})
}

// connect runs sessions until one is neither redirected nor, with TransportAuto,
// refused for its transport.
func (c *Client) connect(ctx context.Context, run func(*base.URL, Transport) (*session, error)) error {
	u, proto := c.url, c.cfg.Transport
	if proto == TransportAuto {
		proto = TransportTCP
	}
	for redirects := 0; ; {
		s, err := run(u, proto)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && s.redirect != nil && redirects < maxRedirects:
			u, redirects = s.redirect, redirects+1
		case err != nil && s.transportRefused && proto == TransportTCP && c.cfg.Transport == TransportAuto:
			proto = TransportUDP
		default:
			return err
		}
	}
}

// quote makes text of the camera or of a library fit for an error.
func (c *Client) quote(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return quote(s)
}
