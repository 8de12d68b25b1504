package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/pipeline/simcam"
	"scrim/transport"
	"scrim/transport/bus"
)

// statuses holds the last status of each camera on the bus.
type statuses struct {
	t *testing.T

	mu   sync.Mutex
	last map[string]transport.Status
	news chan struct{}
}

func watchStatuses(t *testing.T, conn *bus.Conn, site string) *statuses {
	t.Helper()
	s := &statuses{t: t, last: map[string]transport.Status{}, news: make(chan struct{}, 1)}
	w, err := conn.WatchStatus(site, func(st transport.Status) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last[st.Camera] = st
		select {
		case s.news <- struct{}{}:
		default:
		}
	})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	return s
}

// await waits until a camera's status fits.
func (s *statuses) await(ctx context.Context, camera, what string, ok func(transport.Status) bool) transport.Status {
	s.t.Helper()
	for {
		s.mu.Lock()
		st := s.last[camera]
		s.mu.Unlock()
		if st.Camera != "" && ok(st) {
			return st
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			s.t.Fatalf("camera %s is not %s: %+v", camera, what, st)
		}
	}
}

func (s *statuses) live(ctx context.Context, camera string) transport.Status {
	s.t.Helper()
	return s.await(ctx, camera, "live", func(st transport.Status) bool { return st.State == transport.StateLive })
}

// liveAfter waits for a later epoch.
func (s *statuses) liveAfter(ctx context.Context, camera string, epoch uint64) transport.Status {
	s.t.Helper()
	return s.await(ctx, camera, "live again", func(st transport.Status) bool { return st.State == transport.StateLive && st.Epoch > epoch })
}

// reader receives all published units of a camera.
type reader struct {
	stop func() []transport.RedactedUnit
}

func readAll(t *testing.T, conn *bus.Conn, camera string) *reader {
	t.Helper()
	sub, err := conn.Subscribe("test", camera, transport.MainRendition)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	var units []transport.RedactedUnit
	go func() {
		defer close(done)
		for {
			u, err := sub.Next(ctx)
			if err != nil {
				return
			}
			units = append(units, *u)
		}
	}()
	r := &reader{stop: func() []transport.RedactedUnit {
		cancel()
		<-done
		sub.Close()
		return units
	}}
	t.Cleanup(cancel)
	return r
}

// requireUnbroken requires that no drawn picture is missing, except for those that the
// redactor dropped.
func requireUnbroken(t *testing.T, units []transport.RedactedUnit, dropped uint64) {
	t.Helper()
	require.Greater(t, len(units), 20)
	dec, err := decode.New(decode.Options{})
	require.NoError(t, err)
	defer dec.Close()
	var numbers []int64
	var at []int
	live := 0
	for i, u := range units {
		require.Equal(t, units[0].Epoch, u.Epoch, "it was not restarted")
		require.Equal(t, units[0].Seq+uint64(i), u.Seq) //nolint:gosec // a small count
		if u.State == transport.StateLive {
			live++
		} else { // the drawn camera may be late on a busy machine
			t.Logf("a slate: %s", u.Reason)
		}
		require.NoError(t, dec.Decode(u.Data, int64(live), func(p decode.Picture) error {
			if s, err := stamptest.Read(p.Image); err == nil {
				numbers, at = append(numbers, int64(s.Number)), append(at, int(p.ID))
			}
			return nil
		}))
	}
	require.Greater(t, len(numbers), 10)
	last := len(numbers) - 1
	missing := numbers[last] - numbers[0] - int64(at[last]-at[0])
	require.GreaterOrEqual(t, missing, int64(0))
	require.LessOrEqual(t, missing, int64(dropped), "pictures %d to %d in %d units", numbers[0], numbers[last], len(units)) //nolint:gosec // a count
}

// TestReloadRestartsOnlyChangedCameras changes the configuration of a worker in all
// ways, while one camera keeps running.
func TestReloadRestartsOnlyChangedCameras(t *testing.T) {
	draw := func(o simcam.Options) *simcam.Camera {
		o.Listen, o.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
		if o.Scene.Width == 0 {
			o.Scene = smallScene
		}
		cam, err := simcam.Start(o)
		require.NoError(t, err)
		t.Cleanup(cam.Close)
		return cam
	}
	steadyScene := drawnScene
	steadyScene.FPS = 6
	steady, locked, other := draw(simcam.Options{Scene: steadyScene}), draw(simcam.Options{User: "viewer", Password: rightPassword}), draw(simcam.Options{})
	hub, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(hub.Close)
	conn, err := bus.Connect(t.Context(), bus.Config{Server: hub, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	all := watchStatuses(t, conn, "test")

	secret := writeFile(t, "password", rightPassword+"\n")
	head := fmt.Sprintf("site: test\nnats: {url: '%s'}\ncameras:\n  - {name: steady, url: '%s'}\n", hub.URL(), steady.URL())
	yard := fmt.Sprintf("  - name: yard\n    url: %s\n    user: viewer\n    password: file:%s\n", locked.URL(), secret)
	const zone = "    zones: [{kind: mask, polygon: [[0, 0], [0.2, 0], [0.2, 0.2]]}]\n"
	roof := fmt.Sprintf("  - {name: roof, url: '%s'}\n", other.URL())
	file := writeFile(t, "scrim.yaml", head+yard)
	replace := func(text string) { // as editors do
		temp := filepath.Join(filepath.Dir(file), ".scrim.yaml.swp")
		require.NoError(t, os.WriteFile(temp, []byte(text), 0o600))
		require.NoError(t, os.Rename(temp, file))
	}
	w := &server{program: start(t, "scrim", "worker", file)}
	ctx := deadline(t, 2*limit)
	all.live(ctx, "steady")
	before := all.live(ctx, "yard")
	r := readAll(t, conn, "steady")

	replace(head + yard + zone)
	w.awaitLine(ctx, `msg="camera settings changed" camera=yard changed=zones`)
	zoned := all.liveAfter(ctx, "yard", before.Epoch)

	replace(head + yard + zone + roof)
	w.awaitLine(ctx, `msg="camera added" camera=roof`)
	roofed := all.live(ctx, "roof")

	require.NoError(t, os.WriteFile(file, []byte(head+yard+zone+strings.Replace(roof, "url:", "urll:", 1)), 0o600))
	w.awaitLine(ctx, `msg="new configuration rejected, the previous one stays in force" error="`+file+`:10:18: unknown key .urll.; did you mean .url.\?"`)
	for _, camera := range []string{"steady", "yard", "roof"} {
		all.await(ctx, camera, "warned", func(st transport.Status) bool {
			return st.State == transport.StateLive && strings.Contains(st.Warning, "rejected (scrim.yaml:10:18)")
		})
	}

	replace("model: yunet-x\n" + head + yard + zone + roof)
	w.awaitLine(ctx, `stays in force" error=".*yunet-x`)

	// Corrected, and with another URL.
	replace(head + strings.Replace(yard, locked.URL(), locked.URL()+"?again", 1) + zone + roof)
	w.awaitLine(ctx, `msg="camera settings changed" camera=yard changed=url`)
	all.await(ctx, "steady", "not warned any more", func(st transport.Status) bool { return !strings.Contains(st.Warning, "rejected") })
	moved := all.liveAfter(ctx, "yard", zoned.Epoch)
	require.Equal(t, roofed.Epoch, all.live(ctx, "roof").Epoch)

	require.NoError(t, os.WriteFile(secret, []byte(wrongPassword), 0o600))
	w.awaitLine(ctx, `msg="camera settings changed" camera=yard changed=password`)
	all.await(ctx, "yard", "refused", func(st transport.Status) bool { return st.Reason == "wrong user or password" })
	require.NoError(t, os.WriteFile(secret, []byte(rightPassword), 0o600))
	all.liveAfter(ctx, "yard", moved.Epoch)

	require.NoError(t, w.cmd.Process.Signal(syscall.SIGHUP))
	w.awaitLine(ctx, `msg="configuration unchanged"`)

	replace(strings.Replace(head, "site: test", "site: elsewhere", 1) + roof)
	w.awaitLine(ctx, `msg="camera removed" camera=yard`)
	w.awaitLine(ctx, `msg="restart required for changed settings" settings=site`)
	all.await(ctx, "yard", "removed", func(st transport.Status) bool { return st.State == transport.StateRemoved })
	require.Equal(t, roofed.Epoch, all.live(ctx, "roof").Epoch)

	c := all.live(ctx, "steady").Counters
	require.Zero(t, c.Reconnects)
	require.Zero(t, c.Restarts)
	units := r.stop()
	c = all.live(ctx, "steady").Counters
	requireUnbroken(t, units, c.UnitsDropped+c.PicturesDropped+c.PicturesWithheld)
	for _, s := range []string{rightPassword, wrongPassword} {
		require.NotContains(t, w.output(), s)
	}

	// A gateway has nothing to restart, and logs that.
	g := &server{program: start(t, "scrim", "gateway", file, "--http", "127.0.0.1:0")}
	g.expect(`url=(http://\S+)`)
	require.NoError(t, g.cmd.Process.Signal(syscall.SIGHUP))
	g.awaitLine(ctx, `msg="configuration unchanged"`)
	replace(strings.Replace(head, "site: test", "site: third", 1) + roof)
	g.awaitLine(ctx, `msg="restart required for changed settings" settings=site`)
	require.NotContains(t, g.output(), "reloaded", "nothing was reloaded")
}

// Cameras lock accounts after failed logins.
func TestEditsDoNotRetryARefusedPassword(t *testing.T) {
	cam := smallCamera(t, simcam.Options{User: "viewer", Password: rightPassword})
	hub, err := bus.StartServer(bus.ServerConfig{Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(hub.Close)
	conn, err := bus.Connect(t.Context(), bus.Config{Server: hub, Name: "test"})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	all := watchStatuses(t, conn, "test")

	secret := writeFile(t, "password", wrongPassword)
	yard := fmt.Sprintf("site: test\nnats: {url: '%s'}\ncameras:\n  - name: yard\n    url: %s\n    user: viewer\n    password: file:%s\n",
		hub.URL(), cam.URL(), secret)
	file := writeFile(t, "scrim.yaml", yard)
	w := &server{program: start(t, "scrim", "worker", file)}
	ctx := deadline(t, 2*limit)
	const refused = `msg="no video from the camera" camera=yard error=".*refuses user or password`
	w.awaitLine(ctx, refused)
	for i, size := range []string{"0.2", "0.3"} {
		zone := fmt.Sprintf("    zones: [{kind: mask, polygon: [[0, 0], [%s, 0], [%s, %s]]}]\n", size, size, size)
		require.NoError(t, os.WriteFile(file, []byte(yard+zone), 0o600))
		w.awaitLine(ctx, strings.Repeat(`msg="camera settings changed" camera=yard changed=zones(?s:.*)`, i+1))
		w.awaitLine(ctx, strings.Repeat(refused+`(?s:.*)`, i+2))
		all.await(ctx, "yard", "refused", func(st transport.Status) bool { return st.Reason == "wrong user or password" })
	}
	require.EqualValues(t, 1, cam.WrongLogins())

	require.NoError(t, os.WriteFile(secret, []byte(rightPassword), 0o600))
	all.live(ctx, "yard")
	require.EqualValues(t, 1, cam.WrongLogins())
}
