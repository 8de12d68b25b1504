package main

import (
	"fmt"
	"log/slog"

	"scrim/cmd/internal/config"
)

// site is how a program reads its configuration, at the start and later.
type site struct {
	source config.Source
	parts  config.Part
	http   HTTPFlags
	needs  []need
}

// need rejects a configuration that lacks something.
type need func(cfg *config.Config, file string) error

// load reads the configuration and logs its warnings.
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

// inspect reads the configuration with the secrets of its parts. If only something is
// missing it returns the configuration and an error.
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
		return fmt.Errorf("%s: no cameras; add one under `cameras:`, or try `scrim demo`", file)
	}
	return nil
}

// needNATS refuses a worker or gateway without a server that connects it to the others.
// A server of its own is of use to a worker only: others may not publish there.
func needNATS(program, others string) need {
	return func(cfg *config.Config, file string) error {
		if cfg.NATS.URL == "" && (cfg.NATS.Listen == "" || program == "gateway") {
			return fmt.Errorf("%s: a %s needs `nats.url`, the NATS server shared with the %s; or run everything in one process with `scrim serve`",
				file, program, others)
		}
		return nil
	}
}
