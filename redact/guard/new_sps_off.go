//go:build unguarded_new_sps

package guard

// NewSPS is the rule: with another SPS a new decoder begins, and the gate is shut until an IDR.
const NewSPS = false
