package auth

import "net/netip"

// Challenge returns the values of WWW-Authenticate for a client at an address.
// Stale tells the client to answer again without asking its user.
func (c *Control) Challenge(from netip.Addr, stale bool) []string {
	return c.digest.Challenge(from, stale)
}

// Digest checks the Authorization header of a request. fits reports whether the URI
// that the client signed is the one that it requests. stale is set if ErrMissing is
// due to an expired challenge.
func (c *Control) Digest(from netip.Addr, method string, authorization []string, fits func(uri string) bool) (u *User, stale bool, err error) {
	if c.Unrestricted() {
		return nil, false, nil
	}
	a, stale := c.digest.Read(from, authorization)
	if a == nil {
		return nil, stale, ErrMissing
	}
	u, err = c.Verify(from, a.User, func(password string) bool { return a.Proves(method, password) && fits(a.URI) })
	return u, false, err
}
