package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	// maxData bounds memory that a camera's redactor can write to. The largest
	// pictures with tiles and the longest look-ahead take 0.9 GiB.
	maxData = 4 << 30
	// maxDataFiles bounds that of a redactor of files, which are larger.
	maxDataFiles = 16 << 30
	// maxSpace bounds addresses: Go and TBB reserve much that they never use.
	maxSpace = 16 << 30
	// maxFiles and maxFilesFiles bound descriptors.
	maxFiles      = 64
	maxFilesFiles = 256
)

// limit is the most that a process may have of something.
type limit struct {
	name     string
	resource int
	most     uint64
}

// limits of a mode. There is none of the number of processes: it would count all
// of the user's, and the filter lets none be started.
func limits(mode Mode) []limit {
	if mode == Files {
		return []limit{
			{"core", unix.RLIMIT_CORE, 0},
			{"memory", unix.RLIMIT_DATA, maxDataFiles},
			{"descriptors", unix.RLIMIT_NOFILE, maxFilesFiles},
		}
	}
	return []limit{
		{"core", unix.RLIMIT_CORE, 0},
		{"memory", unix.RLIMIT_DATA, maxData},
		{"address space", unix.RLIMIT_AS, maxSpace},
		{"descriptors", unix.RLIMIT_NOFILE, maxFiles},
		{"file size", unix.RLIMIT_FSIZE, 0},
	}
}

// setLimits lowers limits of this process; what is lower already stays.
func setLimits(list []limit) error {
	var errs []error
	for _, l := range list {
		var now unix.Rlimit
		err := unix.Getrlimit(l.resource, &now)
		if err == nil {
			most := min(l.most, now.Max)
			err = unix.Setrlimit(l.resource, &unix.Rlimit{Cur: most, Max: most})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("limit of %s: %w", l.name, err))
		}
	}
	return errors.Join(errs...)
}

// checkLimits reports whether they are in force.
func checkLimits(mode Mode) error {
	for _, l := range limits(mode) {
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("limit of %s: %w", l.name, err)
		}
		if now.Max > l.most {
			return fmt.Errorf("limit of %s is %d and should be %d", l.name, now.Max, l.most)
		}
	}
	return nil
}
