//go:build !unguarded_detection

package guard

// Detection is the rule: an error of the detector, or a senseless answer, is not "no faces".
const Detection = true
