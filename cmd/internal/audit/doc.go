// Package audit says who made each camera of a site, as far as that can be known
// from outside, which of them are of vendors that the site does not want, and how
// to isolate a camera until it is replaced: rules for nftables and a drop-in for
// the systemd unit. Isolation makes no camera compliant with a rule that bans it.
package audit
