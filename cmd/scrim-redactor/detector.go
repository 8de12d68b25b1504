//go:build !faults

package main

import (
	"scrim/redact"
	"scrim/redact/detect"
)

// openDetector opens the configured detector.
func openDetector(c detect.Config) (redact.Detector, error) { return detect.Open(c) }
