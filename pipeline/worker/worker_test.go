package worker

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/pipeline/ipc"
	"scrim/pipeline/worker/camera"
	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/rtsp"
)

const testTimeout = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// idleRedactor is a program that waits for its end. Asked for its sandbox it reports one
// without a protection.
func idleRedactor(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scrim-redactor")
	require.NoError(t, os.WriteFile(path, []byte(`#!/bin/sh
if [ "$1" = --sandbox-check ]; then echo '[{"name":"seccomp","holds":true},{"name":"landlock","detail":"not in this kernel"}]'; exit; fi
while read -r line; do :; done
`), 0o700)) //nolint:gosec // a program
	return path
}

// connect returns a connection to a server of the test's own.
func connect(t *testing.T) *bus.Conn {
	t.Helper()
	server, err := bus.StartServer(bus.ServerConfig{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	conn, err := bus.Connect(t.Context(), bus.Config{Server: server, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// spec is a camera that cannot be reached.
func spec(name, path string) Camera {
	return Camera{
		Ingest:   rtsp.Config{Camera: name, URL: "rtsp://127.0.0.1:1/" + path},
		Redactor: ipc.Config{Site: "test", Camera: name, Obscure: ipc.ObscureConfig{Style: "veil"}},
	}
}

func TestNewCamerasRestartOnlyThoseThatHaveChanged(t *testing.T) {
	conn := connect(t)
	removed := make(chan string, 10)
	watch, err := conn.WatchStatus("test", func(s transport.Status) {
		if s.State == transport.StateRemoved {
			removed <- s.Camera
		}
	})
	require.NoError(t, err)
	defer watch.Close()
	o := &Options{Conn: conn, Log: slog.New(slog.DiscardHandler)}
	f := newFleet(t.Context(), o, camera.Options{Program: idleRedactor(t), Log: o.Log})
	defer f.close()
	f.setNotice("rejected")
	f.apply([]Camera{spec("hall", "a"), spec("yard", "a"), spec("roof", "a")})
	hall, yard := f.runs["hall"], f.runs["yard"]
	require.Equal(t, "rejected", hall.camera.Status().Warning)
	f.setNotice("")
	require.Empty(t, hall.camera.Status().Warning)

	f.apply([]Camera{spec("hall", "a"), spec("yard", "b"), spec("gate", "a")})
	require.Len(t, f.runs, 3)
	require.Same(t, hall, f.runs["hall"], "it has not changed")
	require.NotSame(t, yard, f.runs["yard"])
	require.NotSame(t, yard.login, f.runs["yard"].login, "it has another URL")
	require.Equal(t, "roof", <-removed)

	again := spec("yard", "b")
	again.Redactor.Lookahead = 3
	before := f.runs["yard"]
	f.apply([]Camera{again})
	require.NotSame(t, before, f.runs["yard"])
	require.Same(t, before.login, f.runs["yard"].login, "what is known of a password outlives other settings")
	require.ElementsMatch(t, []string{"hall", "gate"}, []string{<-removed, <-removed})
	require.NoError(t, f.failure())
}

func TestWorkerEndsWhenNoCameraCanWork(t *testing.T) {
	bad := spec("hall", "a")
	bad.Ingest.URL = "http://192.0.2.1/"
	w, err := New(Options{Config: Config{Cameras: []Camera{bad}}, Program: idleRedactor(t), Conn: connect(t), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.ErrorContains(t, w.Run(t.Context()), "hall")
	require.ErrorContains(t, w.Apply(t.Context(), Config{}), "has ended")
	_, err = New(Options{})
	require.Error(t, err)
}

// What one configuration broke another can mend: nobody is there to start the worker again.
func TestWorkerThatRunsIsNotEndedByAConfiguration(t *testing.T) {
	bad := spec("hall", "a")
	bad.Ingest.URL = "http://192.0.2.1/"
	log := &lockedBuffer{}
	w, err := New(Options{
		Config: Config{Cameras: []Camera{spec("hall", "a")}}, Program: idleRedactor(t), Conn: connect(t), Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for range 10 { // Run chooses what it reads first
		for _, c := range []Config{{Cameras: []Camera{bad}}, {}, {Cameras: []Camera{spec("hall", "b")}, RequireSandbox: true}, {Cameras: []Camera{bad}}} {
			err := w.Apply(ctx, c)
			require.Equal(t, c.RequireSandbox, err != nil)
			require.NoError(t, w.SetNotice(ctx, ""))
		}
	}
	require.NoError(t, w.Apply(ctx, Config{Cameras: []Camera{spec("hall", "c")}}))
	cancel()
	require.NoError(t, <-done)
	require.Contains(t, log.String(), "giving up on camera")
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestConfigurationThatNeedsAMissingProtectionIsNotApplied(t *testing.T) {
	log := &lockedBuffer{}
	o := Options{
		Config: Config{Cameras: []Camera{spec("hall", "a")}, RequireSandbox: true}, Program: idleRedactor(t), Conn: connect(t),
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	w, err := New(o)
	require.NoError(t, err)
	require.ErrorIs(t, w.Run(t.Context()), ipc.ErrUnprotected)

	o.RequireSandbox = false
	w, err = New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	next := Config{Cameras: []Camera{spec("yard", "a")}}
	require.ErrorContains(t, w.Apply(ctx, Config{Cameras: next.Cameras, RequireSandbox: true}), "landlock: not in this kernel")
	require.NoError(t, w.SetNotice(ctx, "rejected"))
	require.NotContains(t, log.String(), "camera=yard", "the one before stays in force")
	require.NoError(t, w.Apply(ctx, next))
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("camera=yard")) }, testTimeout, 10*time.Millisecond)
	require.Contains(t, log.String(), "redactors are not fully confined")
	cancel()
	require.NoError(t, <-done)
	require.Error(t, w.Apply(ctx, next))
}
