//go:build !unguarded_key_frame

package guard

// KeyFrame is the rule: a shut gate opens at nothing but an IDR.
const KeyFrame = true
