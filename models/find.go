package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrNotFound is wrapped by errors that say that a model is in none of Dirs.
var ErrNotFound = errors.New("model not found")

// ErrCorrupt is wrapped by errors about a file that has the name of a known
// model and other content. The error is a *CorruptError.
var ErrCorrupt = errors.New("model is corrupt")

// CorruptError says which file is not what its name says. It wraps ErrCorrupt.
type CorruptError struct {
	// Name of the model.
	Name string
	// Path of the file.
	Path string
	// Want is the hash that it must have, Got the one that it has, both in hex.
	// Got is empty when the file is too large to be looked at.
	Want, Got string
}

// Error names the path, both hashes and the way out.
func (e *CorruptError) Error() string {
	has := "SHA-256 " + e.Got
	if e.Got == "" {
		has = fmt.Sprintf("more than %d MiB", MaxBytes>>20)
	}
	return fmt.Sprintf("%s: %s has %s, %s needs SHA-256 %s; delete the file, or replace it with `scrim models pull %s --dir %s`",
		ErrCorrupt, e.Path, has, e.Name, e.Want, e.Name, filepath.Dir(e.Path))
}

// Unwrap returns ErrCorrupt.
func (e *CorruptError) Unwrap() error { return ErrCorrupt }

// Found is a model with the file that holds it.
type Found struct {
	Model
	// Path of the file, absolute; empty: the model is built in.
	Path string
}

// Auto is the name that leaves the choice to Find. No model has it.
const Auto = "auto"

// Find returns the known model of that name and its file, having verified the
// hash. The first of Dirs that has a file of the model's name decides. The model
// that is built in needs no file, and none is looked for.
//
// Auto is the one that is built in. Only if its card says that it exposes more
// faces on clean pictures than YuNet-n does, and YuNet-n is there, it is YuNet-n.
//
// The error wraps ErrUnknown, ErrNotFound or ErrCorrupt, or says why a file
// could not be read. A file that is corrupt or cannot be read is an error of Auto
// as well, where it would take that model.
func Find(name string) (Found, error) {
	if name == Auto {
		return choose(BuiltIn(), func(name string) (Found, error) { return find(Dirs(), name) })
	}
	return find(Dirs(), name)
}

// choose is the rule of Auto.
func choose(own Card, find func(name string) (Found, error)) (Found, error) {
	if own.Clean.Exposed > own.Clean.ExposedYuNetN {
		if found, err := find(yunetN); !errors.Is(err, ErrNotFound) {
			return found, err
		}
	}
	return Found{Model: own.model()}, nil
}

func find(dirs []string, name string) (Found, error) {
	m, err := Lookup(name)
	if err != nil {
		return Found{}, err
	}
	if m.Name == BuiltIn().Name {
		return Found{Model: m}, nil
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, m.File)
		switch err := m.Check(path); {
		case err == nil:
			return Found{m, path}, nil
		case !absent(err):
			return Found{}, err
		}
	}
	return Found{}, fmt.Errorf("%w: %s, with SHA-256 %s, is in none of %s; get it with `scrim models pull %s`",
		ErrNotFound, m.Name, m.SHA256, strings.Join(dirs, ", "), m.Name)
}

// absent is true for the error of a file that is not there.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Check verifies that a file is the model. The error is a *CorruptError, or says
// why the file could not be read.
func (m Model) Check(path string) error {
	got, _, err := hashFile(path)
	switch {
	case errors.Is(err, errTooLarge):
		return &CorruptError{Name: m.Name, Path: path, Want: m.SHA256}
	case err != nil:
		return fmt.Errorf("model %s: %w", m.Name, err)
	case got != m.SHA256:
		return &CorruptError{Name: m.Name, Path: path, Want: m.SHA256, Got: got}
	}
	return nil
}

// Open returns the model in a file that the user named. When the file is one of
// the known models it is returned as such; else the user vouches for it: Name
// is the file's name without ".onnx", and SHA256 the hash that it has now, so that
// no other file is loaded later. The error says why the file cannot be a model: it
// cannot be read, is empty, is no regular file, or has more than MaxBytes.
func Open(path string) (Found, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Found{}, fmt.Errorf("model %s: %w", path, err)
	}
	hash, size, err := hashFile(abs)
	if err != nil {
		return Found{}, fmt.Errorf("model: %w; name an ONNX file or a model that `scrim models list` shows", err)
	}
	if size == 0 {
		return Found{}, fmt.Errorf("model: %s is empty; name an ONNX file or a model that `scrim models list` shows", abs)
	}
	for _, m := range Known() {
		if m.SHA256 == hash {
			return Found{m, abs}, nil
		}
	}
	file := filepath.Base(abs)
	return Found{Model{
		Name:        strings.TrimSuffix(file, ".onnx"),
		File:        file,
		SHA256:      hash,
		Description: "not a known model",
		Size:        size,
	}, abs}, nil
}

// errTooLarge is wrapped by errors about more than MaxBytes, or more than the
// model has.
var errTooLarge = errors.New("is too large for a model")

// hashFile returns the SHA-256 of a regular file, in hex, and its size in bytes.
func hashFile(path string) (hash string, size int64, err error) {
	// Looked at before it is opened: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("%s is not a file", path)
	}
	f, err := os.Open(path) //nolint:gosec // the user's own path
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum := sha256.New()
	// The file may grow meanwhile, so its size is not believed.
	size, err = io.Copy(sum, io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return "", 0, err
	}
	if size > MaxBytes {
		return "", 0, fmt.Errorf("%s %w: over %d MiB", path, errTooLarge, MaxBytes>>20)
	}
	return hex.EncodeToString(sum.Sum(nil)), size, nil
}
