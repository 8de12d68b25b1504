//go:build !unguarded_complete

package guard

// Complete is the rule: nothing is decoded and shown from a gap up to the next whole IDR.
const Complete = true
