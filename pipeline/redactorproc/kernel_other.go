//go:build !linux

package redactorproc

import (
	"errors"
	"time"
)

// CPUTime is not known on this system.
func CPUTime(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

// Runnable is not known on this system.
func Runnable(int) bool { return false }

// Alive is not known on this system: the user of the child finds out.
func Alive(int) bool { return true }
