package main

import (
	"cmp"
	"log/slog"

	"scrim/cmd/internal/config"
	"scrim/cmd/internal/programs"
	"scrim/cmd/internal/trace"
	"scrim/pipeline/ipc"
	"scrim/pipeline/worker"
	"scrim/transport"
	"scrim/transport/bus"
)

// workerSetup makes what a worker needs of flags and configurations.
type workerSetup struct {
	flags    WorkerFlags
	redactor string // path of the program
	model    config.Model
	detect   ipc.DetectConfig // for model
	// shown are the URLs of cameras that everybody may see, by name.
	shown   map[string]string
	observe []func(u *transport.RedactedUnit, r *ipc.Record)
	trace   *trace.Writer // nil: none
	log     *slog.Logger
}

// newWorkerSetup finds the model and the program that the cameras need. The caller closes
// the setup.
func newWorkerSetup(cfg *config.Config, f WorkerFlags, log *slog.Logger) (*workerSetup, error) {
	s := &workerSetup{flags: f, log: log}
	if err := s.findModel(cfg); err != nil {
		return nil, err
	}
	var err error
	if s.redactor, err = programs.Find("scrim-redactor", "--redactor", f.Redactor); err != nil {
		return nil, err
	}
	if f.Trace != "" {
		if s.trace, err = trace.Create(f.Trace, log); err != nil {
			return nil, err
		}
		s.observe = append(s.observe, s.trace.Observe)
	}
	return s, nil
}

// close closes the trace.
func (s *workerSetup) close() error {
	if s.trace == nil {
		return nil
	}
	return s.trace.Close()
}

// findModel finds the model that a flag or the configuration names, unless that is known.
func (s *workerSetup) findModel(cfg *config.Config) error {
	model := cmp.Or(s.flags.Model, cfg.Model)
	if model == s.model && model != "" {
		return nil
	}
	detect, err := programs.Detector(model, s.log)
	if err == nil {
		s.model, s.detect = model, detect
	}
	return err
}

// config returns what a configuration means for a worker.
func (s *workerSetup) config(cfg *config.Config) (worker.Config, error) {
	if err := s.findModel(cfg); err != nil {
		return worker.Config{}, err
	}
	c := worker.Config{RequireSandbox: cfg.RequireSandbox || s.flags.RequireSandbox}
	for i := range cfg.Cameras {
		cam := &cfg.Cameras[i]
		redactor := cfg.Redactor(cam)
		redactor.RequireSandbox = c.RequireSandbox // also by the flag
		redactor.Detect.Model, redactor.Detect.ModelName, redactor.Detect.SHA256 = s.detect.Model, s.detect.ModelName, s.detect.SHA256
		c.Cameras = append(c.Cameras, worker.Camera{Ingest: cam.Ingest(), Redactor: redactor, ShownSource: s.shown[string(cam.Name)]})
	}
	return c, nil
}

// worker makes the worker.
func (s *workerSetup) worker(cfg *config.Config, conn *bus.Conn) (*worker.Worker, error) {
	c, err := s.config(cfg)
	if err != nil {
		return nil, err
	}
	return worker.New(worker.Options{Config: c, Program: s.redactor, Conn: conn, Observe: s.observe, Log: s.log})
}
