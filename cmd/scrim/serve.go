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
	Trace string `help:"Write a line of JSON per picture: the time of each stage and the obscured regions. The file must not exist; it grows without limit." placeholder:"FILE"`

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
	hangups, stop := onHangup()
	defer stop()
	s := site{
		source: c.source(c.File), parts: config.CamerasPart | config.HTTPPart, http: c.HTTPFlags, needs: []need{needCameras},
	}
	cfg, err := s.load(log)
	if err != nil {
		return err
	}
	setup, err := newWorkerSetup(cfg, c.WorkerFlags, log)
	if err != nil {
		return err
	}
	r := &reloader{site: s, log: log, start: cfg, current: cfg, hangups: hangups}
	return errors.Join(serve(ctx, cfg, setup, r, func(url string) { log.Info("page", "url", url) }), setup.close())
}

// serve runs a worker and a gateway on one connection. ready is called with the page's
// URL. r may be nil.
func serve(ctx context.Context, cfg *config.Config, setup *workerSetup, r *reloader, ready func(url string)) error {
	l, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer l.close()
	conn, end, err := connect(ctx, cfg, "serve", setup.log)
	if err != nil {
		return err
	}
	defer end()
	gw, err := newGateway(cfg, conn, l, setup.log)
	if err != nil {
		return err
	}
	w, err := setup.worker(cfg, conn)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return gw.Run(ctx) })
	g.Go(func() error { return w.Run(ctx) })
	if r != nil {
		r.setup, r.worker = setup, w
		g.Go(func() error { return r.run(ctx) })
	}
	ready(gw.URL())
	return g.Wait()
}

// WorkerCmd runs the cameras, on their site.
type WorkerCmd struct {
	File string `arg:"" help:"YAML file."`
	SetFlags
	WorkerFlags
}

// Run runs the cameras until ctx ends.
func (c WorkerCmd) Run(ctx context.Context, log *slog.Logger) error {
	hangups, stop := onHangup()
	defer stop()
	s := site{source: c.source(c.File), parts: config.CamerasPart, needs: []need{needCameras, needNATS("worker")}}
	cfg, err := s.load(log)
	if err != nil {
		return err
	}
	setup, err := newWorkerSetup(cfg, c.WorkerFlags, log)
	if err != nil {
		return err
	}
	defer func() { _ = setup.close() }()
	conn, end, err := connect(ctx, cfg, "worker", log)
	if err != nil {
		return err
	}
	defer end()
	w, err := setup.worker(cfg, conn)
	if err != nil {
		return err
	}
	r := &reloader{site: s, log: log, start: cfg, current: cfg, hangups: hangups, setup: setup, worker: w}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.run(ctx) })
	g.Go(func() error { return w.Run(ctx) })
	return g.Wait()
}

// GatewayCmd serves the viewers, from the redacted video on NATS.
type GatewayCmd struct {
	File string `arg:"" help:"YAML file; no cameras are needed."`
	SetFlags
	HTTPFlags
}

// Run serves viewers until ctx ends.
func (c GatewayCmd) Run(ctx context.Context, log *slog.Logger) error {
	hangups, stop := onHangup()
	defer stop()
	s := site{source: c.source(c.File), parts: config.HTTPPart, http: c.HTTPFlags, needs: []need{needNATS("gateway")}}
	cfg, err := s.load(log)
	if err != nil {
		return err
	}
	l, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer l.close()
	conn, end, err := connect(ctx, cfg, "gateway", log)
	if err != nil {
		return err
	}
	defer end()
	gw, err := newGateway(cfg, conn, l, log)
	if err != nil {
		return err
	}
	log.Info("page", "url", gw.URL())
	r := &reloader{site: s, log: log, start: cfg, current: cfg, hangups: hangups}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.run(ctx) })
	g.Go(func() error { return gw.Run(ctx) })
	return g.Wait()
}

// connect connects to the configured NATS server, or starts one. end closes
// both.
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

// dial is bus.Connect, and says what to do when something else listens there.
func dial(ctx context.Context, c bus.Config) (*bus.Conn, error) {
	conn, err := bus.Connect(ctx, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, fmt.Errorf("%w: something listens there and does not greet as a NATS server does; "+
			"is that the server's address and port for clients, and not that of a camera or a page?", err)
	}
	return conn, err
}
