//go:build !unguarded_chain

package guard

// Chain is the rule: a picture of before the gate was shut does not pass, and opens nothing.
const Chain = true
