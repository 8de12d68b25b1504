//go:build !unguarded_obscuring

package guard

// Obscuring is the rule: a picture that could not be obscured is not shown.
const Obscuring = true
