package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"scrim/cmd/internal/config"
	"scrim/cmd/internal/filewatch"
	"scrim/pipeline/worker"
	"scrim/transport"
)

// maxErrorBytes bounds an error of the configuration in the log.
const maxErrorBytes = 4 << 10

// reloader reads the configuration again when its files change, or on SIGHUP.
type reloader struct {
	site    site
	log     *slog.Logger
	start   *config.Config // of the start: some settings stay
	current *config.Config // the last that was applied
	hangups <-chan os.Signal
	// setup and worker apply a configuration; nil: nothing of it can be applied.
	setup  *workerSetup
	worker *worker.Worker
	// rejected is set while the file differs from what is in force.
	rejected bool
}

// onHangup catches SIGHUP, which would end the program, until stop is called.
func onHangup() (hangups <-chan os.Signal, stop func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGHUP)
	return ch, func() { signal.Stop(ch) }
}

// run reloads until ctx ends.
func (r *reloader) run(ctx context.Context) error {
	changed := make(chan struct{}, 1)
	files, err := filewatch.New()
	if err != nil {
		r.log.Warn("cannot watch the configuration for changes; send SIGHUP to reload it", "error", err)
	} else {
		watching := make(chan struct{})
		defer files.Close()
		ctx, cancel := context.WithCancel(ctx)
		defer func() {
			cancel()
			<-watching
		}()
		r.follow(files, r.current)
		go func() {
			defer close(watching)
			files.Run(ctx, func() {
				select {
				case changed <- struct{}{}:
				default:
				}
			})
		}()
	}
	for {
		asked := false
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-r.hangups:
			asked = true
		}
		cfg := r.reload(ctx, asked)
		if files != nil {
			r.follow(files, cfg)
		}
	}
}

// follow watches the file and all that hold its secrets.
func (r *reloader) follow(files *filewatch.Files, cfg *config.Config) {
	if err := files.Set(append([]string{r.site.source.File}, cfg.Files(r.site.parts)...)...); err != nil {
		r.log.Warn("cannot watch every file of the configuration; send SIGHUP to reload it", "error", err)
	}
}

// reload reads the configuration and applies it. It returns what was read, or what is in
// force if nothing could be. asked is set if somebody waits for an answer.
func (r *reloader) reload(ctx context.Context, asked bool) *config.Config {
	cfg, err := r.site.inspect()
	read := cfg
	if cfg == nil {
		read = r.current
	}
	if err != nil {
		r.reject(ctx, err)
		return read
	}
	changes := config.Compare(r.current, cfg)
	if !changes.Any() && !r.rejected {
		if asked {
			r.log.Info("configuration unchanged", "file", r.site.source.File)
		}
		return read
	}
	if err := r.apply(ctx, cfg.WithStaticOf(r.start)); err != nil {
		if ctx.Err() == nil {
			r.reject(ctx, err)
		}
		return read
	}
	for _, w := range cfg.Warnings() {
		if !slices.Contains(r.current.Warnings(), w) {
			r.log.Warn(w)
		}
	}
	asked = asked || r.rejected // who fixed it waits for an answer as well
	r.current, r.rejected = cfg, false
	r.report(changes, asked)
	return read
}

// apply hands a configuration to the worker.
func (r *reloader) apply(ctx context.Context, cfg *config.Config) error {
	if r.worker == nil {
		return nil
	}
	c, err := r.setup.config(cfg)
	if err != nil {
		return err
	}
	return r.worker.Apply(ctx, c)
}

// reject reports why the previous configuration stays in force: in full in the log, and
// the place of the mistake with the status of every camera, which viewers see.
func (r *reloader) reject(ctx context.Context, err error) {
	r.rejected = true
	r.log.Error("new configuration rejected, the previous one stays in force", "error", transport.Plain(err.Error(), maxErrorBytes))
	if r.worker != nil {
		_ = r.worker.SetNotice(ctx, "new configuration rejected"+where(err)+", the previous one stays in force; see the log")
	}
}

// where returns the place of a mistake in brackets, "" if it is not known.
func where(err error) string {
	e, ok := errors.AsType[*config.Error](err)
	if !ok || e.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s:%d:%d)", filepath.Base(e.File), e.Line, e.Column)
}

// report logs what was applied, without values, and what needs a restart.
func (r *reloader) report(c *config.Changes, asked bool) {
	if r.worker != nil {
		for _, name := range c.Removed {
			r.log.Info("camera removed", "camera", string(name))
		}
		for _, name := range c.Added {
			r.log.Info("camera added", "camera", string(name))
		}
		for _, name := range slices.Sorted(maps.Keys(c.Cameras)) {
			r.log.Info("camera settings changed", "camera", string(name), "changed", strings.Join(c.Cameras[name], " "))
		}
		r.log.Info("configuration reloaded", "file", r.site.source.File, "added", len(c.Added), "removed", len(c.Removed), "changed", len(c.Cameras),
			"others", strings.Join(c.Others, " "))
	}
	static := config.Compare(r.start, r.current).Static(r.site.parts)
	switch {
	case len(static) > 0:
		r.log.Warn("restart required for changed settings", "settings", strings.Join(static, " "))
	case r.worker == nil && asked:
		r.log.Info("no changes relevant to this process", "file", r.site.source.File)
	}
}
