// Package atomicfile writes output files: a file appears under its name only when it is
// complete. A pipe or device is written to, and never replaced by a file.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write writes a file. If write returns an error, the previous file stays.
func Write(path string, write func(io.Writer) error) error {
	to, stream, err := target(path)
	if err != nil {
		return err
	}
	if stream {
		// Output that was redirected into a file is appended, and does not overwrite it.
		f, err := os.OpenFile(to, os.O_WRONLY|os.O_APPEND, 0) //nolint:gosec // named by the user
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	f, err := temporary(to)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // after Rename nothing has that name
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(f.Name(), to)
}

// Check returns an error if Write could not create the file, so that a program does not
// find out after hours of work. It leaves nothing behind.
func Check(path string) error {
	to, stream, err := target(path)
	if err != nil || stream { // opening a pipe would wait for its reader
		return err
	}
	f, err := temporary(to)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// target returns the file behind a path, with symbolic links resolved. stream is set if
// it is a pipe or device.
func target(path string) (to string, stream bool, err error) {
	for _, dir := range []string{"/dev/", "/proc/"} {
		// /dev/stdout may be a link to a regular file, and must not become one.
		if abs, err := filepath.Abs(path); err == nil && strings.HasPrefix(abs, dir) && !strings.HasPrefix(abs, "/dev/shm/") {
			return path, true, nil
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, false, nil
	case err != nil:
		return "", false, err
	case info.IsDir():
		return "", false, fmt.Errorf("%s is a folder; name a file", path)
	case !info.Mode().IsRegular():
		return path, true, nil
	}
	to, err = filepath.EvalSymlinks(path)
	return to, false, err
}

// temporary creates a file next to another one.
func temporary(path string) (*os.File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("%s: %w", path, at.Err) // the temporary name would confuse
	}
	return f, err
}
