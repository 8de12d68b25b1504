package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"golang.org/x/sync/errgroup"

	"scrim/cmd/internal/config"
	"scrim/transport/bus"
)

// RedactorFlags are the flags of all commands that run redactors.
type RedactorFlags struct {
	Model    config.Model `help:"Model: auto, a name from 'scrim models list', or an ONNX file. Default: auto, or the file's." placeholder:"NAME|FILE"`
	Redactor string       `help:"Path of scrim-redactor. Default: next to this program." placeholder:"FILE"`
}

// WorkerFlags are the flags of all commands that run cameras.
type WorkerFlags struct {
	RedactorFlags
	Trace string `help:"Write one JSON line per picture: stage times and obscured regions. FILE must not exist; it grows without limit." placeholder:"FILE"`

	RequireSandbox bool `help:"Refuse to run cameras unless all protections of the redactors are in force; same as require_sandbox in the file."`
}

// HTTPFlags are the flags of all commands that show a page.
type HTTPFlags struct {
	HTTP string `name:"http" help:"Address of the viewer page, instead of http.listen in the file." placeholder:"HOST:PORT"`
}

func (f HTTPFlags) apply(cfg *config.Config) error {
	if f.HTTP == "" {
		return nil
	}
	if err := cfg.HTTP.Listen.UnmarshalText([]byte(f.HTTP)); err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	return nil
}

// SetFlags are the flags of all commands that read a configuration file.
type SetFlags struct {
	Set []string `sep:"none" help:"Override a setting of the file, such as cameras.hall.transport=udp. Repeatable." placeholder:"PATH=VALUE"`
}

// source is where the configuration comes from.
func (f SetFlags) source(file string) config.Source {
	return config.Source{File: file, Environ: os.Environ(), Set: f.Set}
}

// ServeCmd runs everything in one process.
type ServeCmd struct {
	File string `arg:"" help:"YAML file."`
	SetFlags
	WorkerFlags
	HTTPFlags
}

// Run runs cameras, NATS and page until ctx ends.
func (c ServeCmd) Run(ctx context.Context, log *slog.Logger) error {
	s := site{source: c.source(c.File), parts: config.CamerasPart | config.HTTPPart, http: c.HTTPFlags, needs: []need{needCameras}}
	return s.run(ctx, "serve", c.WorkerFlags, log)
}

// WorkerCmd runs the cameras, on their site.
type WorkerCmd struct {
	File string `arg:"" help:"YAML file."`
	SetFlags
	WorkerFlags
}

// Run runs the cameras until ctx ends.
func (c WorkerCmd) Run(ctx context.Context, log *slog.Logger) error {
	s := site{source: c.source(c.File), parts: config.CamerasPart, needs: []need{needCameras, needNATS("worker", "gateways")}}
	return s.run(ctx, "worker", c.WorkerFlags, log)
}

// GatewayCmd serves the viewers, from the redacted video on NATS.
type GatewayCmd struct {
	File string `arg:"" help:"YAML file; no cameras are needed."`
	SetFlags
	HTTPFlags
}

// Run serves viewers until ctx ends.
func (c GatewayCmd) Run(ctx context.Context, log *slog.Logger) error {
	s := site{source: c.source(c.File), parts: config.HTTPPart, http: c.HTTPFlags, needs: []need{needNATS("gateway", "workers")}}
	return s.run(ctx, "gateway", WorkerFlags{}, log)
}

// run runs the parts of a site, and reloads the configuration, until ctx ends.
func (s site) run(ctx context.Context, name string, flags WorkerFlags, log *slog.Logger) (err error) {
	hangups, stop := onHangup()
	defer stop()
	cfg, err := s.load(log)
	if err != nil {
		return err
	}
	r := &reloader{site: s, log: log, start: cfg, current: cfg, hangups: hangups}
	if s.parts&config.CamerasPart != 0 {
		if r.setup, err = newWorkerSetup(cfg, flags, log); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.setup.close()) }()
	}
	p := process{name: name, cfg: cfg, setup: r.setup, reloader: r, log: log}
	if s.parts&config.HTTPPart != 0 {
		p.ready = func(url string) { log.Info("page", "url", url) }
	}
	return p.run(ctx)
}

// process is what one process runs on one connection to NATS.
type process struct {
	name  string
	cfg   *config.Config
	setup *workerSetup // nil: no worker
	// ready is called with the page's URL; nil: no gateway.
	ready    func(url string)
	reloader *reloader // nil: none
	log      *slog.Logger
}

func (p process) run(ctx context.Context) error {
	l := &listeners{}
	if p.ready != nil {
		var err error
		if l, err = listen(ctx, p.cfg); err != nil {
			return err
		}
		defer l.close()
	}
	conn, end, err := connect(ctx, p.cfg, p.name, p.log)
	if err != nil {
		return err
	}
	defer end()
	var runs []func(context.Context) error
	if p.setup != nil {
		w, err := p.setup.worker(p.cfg, conn)
		if err != nil {
			return err
		}
		if runs = append(runs, w.Run); p.reloader != nil {
			p.reloader.worker = w
		}
	}
	if p.reloader != nil {
		runs = append(runs, p.reloader.run)
	}
	if p.ready != nil {
		gw, err := newGateway(p.cfg, conn, l, p.log)
		if err != nil {
			return err
		}
		p.ready(gw.URL())
		runs = append(runs, gw.Run)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, run := range runs {
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}

// connect connects to the configured NATS server, or starts one. end closes both.
func connect(ctx context.Context, cfg *config.Config, name string, log *slog.Logger) (conn *bus.Conn, end func(), err error) {
	c := bus.Config{Name: "scrim " + name + " " + string(cfg.Site), Log: log}
	end = func() {}
	if cfg.NATS.URL != "" {
		c.URL, c.User, c.Password = string(cfg.NATS.URL), cfg.NATS.User, cfg.NATS.Password.Value()
	} else {
		server := bus.ServerConfig{Listen: string(cfg.NATS.Listen), Log: log}
		if cfg.NATS.User != "" {
			// Who connects from outside are gateways: they read, and publish no video.
			may, err := bus.GatewayPermissions(string(cfg.Site))
			if err != nil {
				return nil, nil, fmt.Errorf("NATS: %w", err)
			}
			server.Users = []bus.User{{Name: cfg.NATS.User, Password: cfg.NATS.Password.Value(), Permissions: may}}
		}
		s, err := bus.StartServer(server)
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, nil, fmt.Errorf("NATS: %s is in use, perhaps by another Scrim; choose another address with `nats.listen`", cfg.NATS.Listen)
		}
		if err != nil {
			return nil, nil, err
		}
		c.Server, end = s, s.Close
	}
	if conn, err = dial(ctx, c); err != nil {
		end()
		return nil, nil, err
	}
	stop := end
	return conn, func() {
		conn.Close()
		stop()
	}, nil
}

// dial calls bus.Connect, and adds advice if something else listens there.
func dial(ctx context.Context, c bus.Config) (*bus.Conn, error) {
	conn, err := bus.Connect(ctx, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("%w: the port is in use by something that is not a NATS server; "+
			"use the address and port that the NATS server has for clients", err)
	}
	return conn, err
}
