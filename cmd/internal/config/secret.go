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

// Secret is a password or token that the file refers to and does not hold:
// env:NAME or file:PATH. Whatever prints it prints "***".
type Secret struct {
	ref   string
	value string
}

// NewSecret returns a secret whose value is known.
func NewSecret(value string) Secret { return Secret{value: value} }

// UnmarshalText takes a reference. Resolve reads what it refers to.
func (s *Secret) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	if (kind != "env" && kind != "file") || name == "" {
		// The text is not repeated: it may be the secret itself.
		return errors.New("write env:NAME or file:PATH; the secret itself does not belong here")
	}
	*s = Secret{ref: string(text)}
	return nil
}

// Resolve reads the value. A line feed at a file's end is not part of it.
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

// IsSet reports whether there is a secret or a reference to one.
func (s Secret) IsSet() bool { return s.ref != "" || s.value != "" }

// Value returns the secret itself; empty when there is none or when it was not
// resolved.
func (s Secret) Value() string { return s.value }

// String returns "***", or "" where no secret is set.
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
