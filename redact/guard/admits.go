//go:build !unguarded_admits

package guard

// Admits is the rule: chain and age are looked at once more right before encoding.
const Admits = true
