package config

import "fmt"

// Part selects whose secrets are read: a gateway must not hold the passwords of
// the cameras, and a worker must not hold the viewers' token.
type Part uint8

// The parts of a configuration that have secrets. The NATS password is always read.
const (
	CamerasPart Part = 1 << iota
	// HTTPPart covers the HTTP server and the RTSP server of a gateway.
	HTTPPart
)

// Source is where a configuration comes from. Flags override variables, and
// variables override the file.
type Source struct {
	// File is the path of the YAML file.
	File string
	// Environ holds NAME=VALUE, as os.Environ returns it. A variable named after a
	// setting, such as SCRIM_NATS_URL, overrides it. Nil: no variables.
	Environ []string
	// Set holds PATH=VALUE, such as nats.url=nats://hub:4222. Later ones override
	// earlier ones.
	Set []string
}

// Inspect reads, parses and checks the configuration, and reads the secrets that the
// parts refer to. An error in its content is an *Error. The errors of secrets that
// cannot be read are in missing.
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
