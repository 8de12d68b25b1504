// Package audit identifies the vendor of each camera of a site, as far as that is
// possible over the network, and flags those of unwanted vendors. It plans how to
// isolate a camera until it is replaced: nftables rules and a drop-in for the systemd
// unit. Isolation does not make a camera compliant with a rule that bans it.
package audit
