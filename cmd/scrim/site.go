package main

import (
	"fmt"
	"log/slog"

	"scrim/cmd/internal/config"
)

// site says how a program reads its configuration, at the start and later.
type site struct {
	source config.Source
	parts  config.Part
	http   HTTPFlags
	needs  []need
}

// need refuses a configuration in which something is missing.
type need func(cfg *config.Config, file string) error

// load reads the configuration and logs what deserves a second look.
func (s site) load(log *slog.Logger) (*config.Config, error) {
	cfg, err := s.inspect()
	if err != nil {
		return nil, err
	}
	for _, w := range cfg.Warnings() {
		log.Warn(w)
	}
	return cfg, nil
}

// inspect reads the configuration with the secrets of its parts. The configuration
// is returned with an error, too, where only something is missing.
func (s site) inspect() (*config.Config, error) {
	cfg, missing, err := s.source.Inspect(s.parts)
	switch {
	case err != nil:
		return nil, err
	case len(missing) > 0:
		return cfg, missing[0]
	}
	if err := s.http.apply(cfg); err != nil {
		return nil, err
	}
	for _, n := range s.needs {
		if err := n(cfg, s.source.File); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

func needCameras(cfg *config.Config, file string) error {
	if len(cfg.Cameras) == 0 {
		return fmt.Errorf("%s: it names no camera; add one below `cameras:`, or try `scrim demo`", file)
	}
	return nil
}

// needNATS refuses a half without a server between it and the other half.
func needNATS(half string) need {
	return func(cfg *config.Config, file string) error {
		if cfg.NATS.URL == "" && cfg.NATS.Listen == "" {
			return fmt.Errorf("%s: a %s needs `nats.url`, the server that it shares with the other half; or run all in one with `scrim serve`", file, half)
		}
		return nil
	}
}
