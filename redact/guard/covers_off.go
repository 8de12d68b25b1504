//go:build unguarded_covers

package guard

// Covers is the rule: every face that was found in a picture lies within one of its regions.
const Covers = false
