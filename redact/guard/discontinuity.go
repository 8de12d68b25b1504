//go:build !unguarded_discontinuity

package guard

// Discontinuity is the rule: what ingest says about gaps shuts the gate.
const Discontinuity = true
