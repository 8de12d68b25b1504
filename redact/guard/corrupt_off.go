//go:build unguarded_corrupt

package guard

// Corrupt is the rule: a picture of which the decoder itself says that it is damaged shuts the gate.
const Corrupt = false
