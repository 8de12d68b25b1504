package config

import (
	"fmt"
)

// Part says whose secrets are needed: a gateway must not hold the passwords of
// the cameras, nor a worker the viewers' token.
type Part uint8

// The parts of a configuration that have secrets beside those for NATS.
const (
	CamerasPart Part = 1 << iota
	// HTTPPart is all that a gateway serves.
	HTTPPart
)

// Source says where a configuration comes from. Flags count more than variables,
// and these more than the file.
type Source struct {
	// File is the path of the YAML file.
	File string
	// Environ holds NAME=VALUE, as os.Environ returns it. Variables of the name of a
	// setting, such as SCRIM_NATS_URL, are taken in its place; nil: none are.
	Environ []string
	// Set holds PATH=VALUE, such as nats.url=nats://hub:4222, of which later ones
	// count more.
	Set []string
}

// Load reads, parses and checks the configuration, and reads the secrets that
// the parts refer to. An error in its content is an *Error.
func (s Source) Load(parts Part) (*Config, error) {
	cfg, missing, err := s.Inspect(parts)
	if err == nil && len(missing) > 0 {
		return nil, missing[0]
	}
	return cfg, err
}

// Inspect is Load, but secrets that cannot be read are listed apart.
func (s Source) Inspect(parts Part) (cfg *Config, missing []error, err error) {
	data, err := readBounded(s.File, MaxFileBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	flags, err := readFlags(s.Set)
	if err != nil {
		return nil, nil, err
	}
	vars, err := readVariables(s.Environ)
	if err != nil {
		return nil, nil, err
	}
	cfg, d, err := parse(s.File, data, vars, flags)
	if err != nil {
		return nil, nil, err
	}
	return cfg, d.resolve(cfg, parts), nil
}
