//go:build !unguarded_certificate

package guard

// Certificate is the rule: the inspection that a picture is shown for was that of this very picture.
const Certificate = true
