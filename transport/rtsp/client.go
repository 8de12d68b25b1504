package rtsp

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"scrim/transport"
)

// maxRedirects bounds how often a camera may send the client elsewhere.
const maxRedirects = 3

// Client takes access units from one camera.
type Client struct {
	cfg Config
	url *base.URL
	// hide holds what must not appear in quoted text.
	hide []string
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
		c.hide = []string{
			base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + pass)),
			user, strings.TrimPrefix(user, u.User.Username()+":"), pass,
		}
	}
	return c, nil
}

// URL returns the camera's URL as it may be shown: without credentials.
func (c *Client) URL() string { return redact(c.url) }

// Run connects once and calls onUnit with every complete access unit until ctx
// ends (then it returns ctx's error) or the connection fails (then it returns an
// *Error of one of this package's classes). It does not reconnect: the caller
// waits for Backoff.NextDelay and calls Run again. All that it started has ended
// when it returns.
//
// onUnit is called on one goroutine, in the order of arrival. It must hand the
// unit on and return: while it runs nothing is read, and Run cannot end.
//
// The first unit has a Gap of kind GapConnected. From then on a unit has a Gap
// exactly when something is missing since the previous one. Units that are cut
// short are not delivered; the Gap of the next one describes why.
func (c *Client) Run(ctx context.Context, onUnit func(transport.CameraUnit)) error {
	u, proto := c.url, c.cfg.Transport
	if proto == TransportAuto {
		proto = TransportTCP
	}
	for redirects := 0; ; {
		s := newSession(c, u, proto, onUnit)
		fail := s.run(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case s.redirect != nil && redirects < maxRedirects:
			u, redirects = s.redirect, redirects+1
		case s.transportRefused && proto == TransportTCP && c.cfg.Transport == TransportAuto:
			proto = TransportUDP
		default:
			return fail
		}
	}
}

// quote makes text of the camera or of a library fit for an error.
func (c *Client) quote(s string) string {
	for _, h := range c.hide {
		s = strings.ReplaceAll(s, h, "***")
	}
	return quote(s)
}
