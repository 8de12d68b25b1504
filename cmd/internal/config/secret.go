package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// MaxSecretBytes bounds a file that holds a secret.
const MaxSecretBytes = 4 << 10

// Secret is a password or token to which the file refers by env:NAME or file:PATH.
// All ways to print it print "***".
type Secret struct {
	ref   string
	value string
}

// UnmarshalText accepts a reference. Resolve reads the value.
func (s *Secret) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	if (kind != "env" && kind != "file") || name == "" {
		// The text is not repeated: it may be the secret itself.
		return errors.New("invalid secret: must be env:NAME or file:PATH, not the secret itself")
	}
	*s = Secret{ref: string(text)}
	return nil
}

// Resolve reads the value. A line break at the end of a file is not part of it.
func (s *Secret) Resolve() error {
	kind, name, _ := strings.Cut(s.ref, ":")
	switch kind {
	case "env":
		s.value = os.Getenv(name)
		if s.value == "" {
			return fmt.Errorf("environment variable %s is not set", name)
		}
	case "file":
		data, err := readBounded(name, MaxSecretBytes)
		if err != nil {
			return err
		}
		s.value = strings.TrimRight(string(data), "\r\n")
		if s.value == "" {
			return fmt.Errorf("%s is empty", name)
		}
	}
	return nil
}

// file returns the path of the file that the secret is in, or "".
func (s *Secret) file() string {
	path, _ := strings.CutPrefix(s.ref, "file:")
	if path == s.ref {
		return ""
	}
	return path
}

// IsSet reports whether there is a value or a reference.
func (s Secret) IsSet() bool { return s.ref != "" || s.value != "" }

// Value returns the secret itself, or "" if it is not set or not resolved.
func (s Secret) Value() string { return s.value }

// String returns "***", or "" if no secret is set.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return "***"
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText is String, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
