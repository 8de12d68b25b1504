package batch

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"scrim/pipeline/ipc"
)

// report is a file with a line for each picture. It has a temporary name until it is
// complete. Methods of a nil report do nothing.
type report struct {
	path string
	file *os.File
	w    *bufio.Writer
	// kept is how many bytes belong to files that were redacted.
	kept int64
}

// reportMode is the mode of a report: everybody who may read the outputs may read it.
const reportMode = 0o644

// openReport creates a report; nil without a path.
func openReport(path string, p *Plan) (*report, error) {
	if path == "" {
		return nil, nil
	}
	for _, f := range p.files {
		if resolved(path) == resolved(f.In) || resolved(path) == resolved(f.Out) {
			return nil, fmt.Errorf("report %s: is an input or output; choose another file", path)
		}
	}
	if _, err := os.Lstat(path); err == nil && !p.overwrite {
		return nil, fmt.Errorf("report %s %w", path, ErrExists)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.partial")
	if err != nil {
		return nil, fmt.Errorf("report %s: %w", path, err)
	}
	if err := f.Chmod(reportMode); err != nil {
		return nil, errors.Join(fmt.Errorf("report %s: %w", path, err), f.Close(), os.Remove(f.Name()))
	}
	return &report{path: path, file: f, w: bufio.NewWriter(f)}, nil
}

// add writes a line.
func (r *report) add(f ipc.FileFrame) error {
	if r == nil {
		return nil
	}
	line, err := json.Marshal(f)
	if err == nil {
		_, err = r.w.Write(append(line, '\n'))
	}
	return r.wrap(err)
}

// commit keeps the lines of a file that was redacted.
func (r *report) commit() error {
	if r == nil {
		return nil
	}
	err := r.w.Flush()
	if err == nil {
		r.kept, err = r.file.Seek(0, 1)
	}
	return r.wrap(err)
}

// rollback drops the lines of a file that was not.
func (r *report) rollback() error {
	if r == nil {
		return nil
	}
	r.w.Reset(r.file)
	err := r.file.Truncate(r.kept)
	if err == nil {
		_, err = r.file.Seek(r.kept, 0)
	}
	return r.wrap(err)
}

// finish gives the report its name.
func (r *report) finish() error {
	if r == nil {
		return nil
	}
	err := errors.Join(r.w.Flush(), r.file.Sync(), r.file.Close())
	if err == nil {
		err = os.Rename(r.file.Name(), r.path)
	}
	if err == nil {
		r.path = ""
	}
	return r.wrap(err)
}

// discard removes a report that was not finished.
func (r *report) discard() {
	if r != nil && r.path != "" {
		_ = r.file.Close()
		_ = os.Remove(r.file.Name())
	}
}

func (r *report) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("report %s: %w", r.path, err)
}
