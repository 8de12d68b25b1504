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
	"scrim/transport"
)

// maxErrorBytes bounds an error of the configuration in the log.
const maxErrorBytes = 4 << 10

// reloaded is a configuration that was read anew.
type reloaded struct {
	// cfg is nil where it was refused.
	cfg *config.Config
	// notice is what viewers may know of why it was refused.
	notice string
	// done gets why it cannot be taken over, or nil.
	done chan<- error
}

// reloader reads the configuration anew when its files change, or on SIGHUP.
type reloader struct {
	site  site
	log   *slog.Logger
	start *config.Config // as of the start: what some settings still are
	now   *config.Config // the last that was taken over
	// news is where configurations go; nil: nobody can take one over.
	news    chan reloaded
	hangups <-chan os.Signal
	// refused is set while the file is not what is in force.
	refused bool
}

// newReloader returns one for what was loaded at the start. live says whether the
// program can take something over while it runs.
func newReloader(s site, cfg *config.Config, live bool, hangups <-chan os.Signal, log *slog.Logger) *reloader {
	r := &reloader{site: s, log: log, start: cfg, now: cfg, hangups: hangups}
	if live {
		r.news = make(chan reloaded)
	}
	return r
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
		r.log.Warn("changes of the configuration are not noticed; send SIGHUP after one", "error", err)
	} else {
		watching := make(chan struct{})
		defer files.Close()
		ctx, cancel := context.WithCancel(ctx)
		defer func() {
			cancel()
			<-watching
		}()
		r.follow(files, r.now)
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
		r.log.Warn("changes of a file of the configuration are not noticed; send SIGHUP after one", "error", err)
	}
}

// reload reads the configuration and has it taken over. It returns what was read,
// or what is in force where that could not be. asked is set where somebody waits
// for a word.
func (r *reloader) reload(ctx context.Context, asked bool) *config.Config {
	cfg, err := r.site.inspect()
	read := cfg
	if cfg == nil {
		read = r.now
	}
	if err != nil {
		r.refuse(ctx, err)
		return read
	}
	changes := config.Compare(r.now, cfg)
	if !changes.Any() && !r.refused {
		if asked {
			r.log.Info("configuration is what it was", "file", r.site.source.File)
		}
		return read
	}
	if err := r.hand(ctx, reloaded{cfg: cfg.WithStaticOf(r.start)}); err != nil {
		if ctx.Err() == nil {
			r.refuse(ctx, err)
		}
		return read
	}
	for _, w := range cfg.Warnings() {
		if !slices.Contains(r.now.Warnings(), w) {
			r.log.Warn(w)
		}
	}
	asked = asked || r.refused // who mended it waits for a word as well
	r.now, r.refused = cfg, false
	r.report(changes, asked)
	return read
}

// hand gives a configuration to who takes it over, and waits for that.
func (r *reloader) hand(ctx context.Context, n reloaded) error {
	if r.news == nil {
		return nil
	}
	done := make(chan error, 1)
	n.done = done
	select {
	case r.news <- n:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refuse says why the configuration before stays in force: in full in the log, and
// where the mistake is with the status of every camera, which viewers see.
func (r *reloader) refuse(ctx context.Context, err error) {
	r.refused = true
	r.log.Error("changed configuration is refused, the one before stays in force", "error", transport.Plain(err.Error(), maxErrorBytes))
	_ = r.hand(ctx, reloaded{notice: "changed configuration is refused" + where(err) + ", the one before stays in force; the log says why"})
}

// where says in brackets where a mistake is, "" where that is not known.
func where(err error) string {
	e, ok := errors.AsType[*config.Error](err)
	if !ok || e.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s:%d:%d)", filepath.Base(e.File), e.Line, e.Column)
}

// report logs what has been taken over, without the values, and what could not be.
func (r *reloader) report(c *config.Changes, asked bool) {
	if r.news != nil {
		for _, name := range c.Removed {
			r.log.Info("camera removed", "camera", string(name))
		}
		for _, name := range c.Added {
			r.log.Info("camera added", "camera", string(name))
		}
		for _, name := range slices.Sorted(maps.Keys(c.Cameras)) {
			r.log.Info("camera has new settings", "camera", string(name), "changed", strings.Join(c.Cameras[name], " "))
		}
		r.log.Info("configuration reloaded", "file", r.site.source.File, "added", len(c.Added), "removed", len(c.Removed), "changed", len(c.Cameras),
			"others", strings.Join(c.Others, " "))
	}
	static := config.Compare(r.start, r.now).Static(r.site.parts)
	switch {
	case len(static) > 0:
		r.log.Warn("these settings count only after a restart", "settings", strings.Join(static, " "))
	case r.news == nil && asked:
		r.log.Info("configuration has nothing new for this program", "file", r.site.source.File)
	}
}
