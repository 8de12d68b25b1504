//go:build !faults

package main

import (
	"scrim/redact"
	"scrim/redact/detect"
)

// openDetector opens the detector that is asked for.
func openDetector(c detect.Config) (redact.Detector, error) { return detect.Open(c) }
