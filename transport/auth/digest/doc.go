// Package digest is HTTP Digest authentication (RFC 7616), which RTSP uses too
// (RFC 2326, section 16): Choose and Challenge.Answer for a client that logs in to
// cameras, Server for a server whose clients are recorders.
package digest

import (
	"crypto/md5" //nolint:gosec // the only algorithm of most cameras and recorders
	"crypto/sha256"
	"encoding/hex"
)

// sumOf returns the hash function of SHA-256 or of MD5, in hexadecimal.
func sumOf(strong bool) func(string) string {
	if strong {
		return func(s string) string {
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:])
		}
	}
	return func(s string) string {
		sum := md5.Sum([]byte(s)) //nolint:gosec // see above
		return hex.EncodeToString(sum[:])
	}
}
