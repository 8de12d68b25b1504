package webrtc

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport"
	"scrim/transport/fanout"
	"scrim/transport/transporttest"
)

// pattern is a test picture that moves, two seconds of it, one unit each.
func pattern(t *testing.T) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "pattern.h264"))
	require.NoError(t, err)
	delimiter := []byte{0, 0, 0, 1, 0x09}
	var units [][]byte
	for part := range bytes.SplitSeq(raw, delimiter) {
		if len(part) > 1 {
			units = append(units, part[1:])
		}
	}
	require.Len(t, units, 20)
	return units
}

// play sends the pattern over and over until ctx ends, unless it is paused.
func play(ctx context.Context, m *transporttest.Source, units [][]byte, pause func() bool) {
	playCamera(ctx, m, camera, units, pause)
}

func playCamera(ctx context.Context, m *transporttest.Source, camera string, units [][]byte, pause func() bool) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if pause() {
				continue
			}
			data := units[n%len(units)]
			m.Send(camera, &transport.RedactedUnit{
				Camera: camera, Epoch: 1, Seq: uint64(n + 1), PTS: int64(n+1) * 9000, Captured: now,
				Key: bytes.Contains(data, []byte{0, 0, 0, 1, 0x67}), State: transport.StateLive, Data: data,
			})
		}
	}
}

// browser starts Chromium.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := testenv.Path(t, testenv.Chromium)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WindowSize(1280, 800), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	ctx, cancelTime := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancelTime)
	return ctx
}

const (
	video     = `document.querySelector('video[data-camera="gate"]')`
	tileClass = `document.querySelector('.tile').classList`
	noticed   = `document.querySelector('.notice').classList.contains('shown')`
)

func TestPagePlaysInABrowser(t *testing.T) {
	t.Parallel()
	tab := browser(t)
	g := start(t, Options{Token: secret, Source: transporttest.NewSource(camera)}, func(g *Gateway) {
		g.times.status = 50 * time.Millisecond
		d := fanout.DefaultTimes()
		g.hubs.Times.Silence, g.hubs.Times.First = d.Silence, d.First
	})
	status := g.source.Cameras()[0]
	status.Warning, status.Cosmetic = "<b>detector is slow</b>", true
	g.source.Set(status)

	ctx, stop := context.WithCancel(tab)
	var mu sync.Mutex
	var paused bool
	pause := func(on bool) { mu.Lock(); paused = on; mu.Unlock() }
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop()
	units := pattern(t)
	sending.Go(func() {
		play(ctx, g.source, units, func() bool { mu.Lock(); defer mu.Unlock(); return paused })
	})

	run := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		require.NoError(t, chromedp.Do(tab, actions...))
	}
	until := func(condition string) {
		t.Helper()
		transporttest.Eventually(t, func() bool { ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](condition)); return err == nil && ok }, condition)
	}
	text := func(selector string) string {
		t.Helper()
		got, err := chromedp.Run(tab, chromedp.Text(selector))
		require.NoError(t, err)
		return got
	}

	value := func(expression string) string {
		t.Helper()
		got, err := chromedp.Run(tab, chromedp.Evaluate[string](expression))
		require.NoError(t, err)
		return got
	}

	// The wrong token is asked for again; the right one is kept and leaves the address.
	run(chromedp.Navigate(g.url + "/?token=wrong"))
	until(`!!document.querySelector('#login')?.open && location.search === ''`)
	run(chromedp.SendKeys("#token", secret+"\r"))
	until(video + `?.videoWidth === 320 && ` + video + `.currentTime > 0 && !` + noticed)
	require.Equal(t, "live", text(".state"))
	require.Equal(t, "640 × 360", text(".size"))
	require.Equal(t, "25 pictures/s", text(".rate"))
	require.Equal(t, "<b>detector is slow</b>", text(".warning"))

	// A tile is enlarged and made small again.
	run(chromedp.Click(".enlarge"))
	until(tileClass + `.contains('large')`)
	run(chromedp.KeyEvent("\u001b"))
	until(`!` + tileClass + `.contains('large')`)

	// How late the camera is shown on purpose, and where nobody looks for faces, is
	// said, each while it is so.
	hidden := func(selector string) string { return `document.querySelector('` + selector + `').hidden` }
	require.Empty(t, status.Lookahead)
	status.DelayMS = 40 // without look-ahead that is nobody's choice
	g.source.Set(status)
	until(hidden(".delay") + ` && ` + hidden(".ignored"))
	status.Lookahead, status.DelayMS = 8, 340
	status.Ignored = []string{"public_display lobby screen", "artwork <i>mural</i>"}
	g.source.Set(status)
	until(`!` + hidden(".delay") + ` && !` + hidden(".ignored"))
	require.Equal(t, "delayed 0.3 s", text(".delay"))
	require.Equal(t, "Not searched for faces: public display lobby screen; artwork <i>mural</i>", text(".ignored"))
	status.Lookahead, status.Ignored = 0, nil
	g.source.Set(status)
	until(hidden(".delay") + ` && ` + hidden(".ignored"))

	// A state in which no picture of now can come covers the last one at once, also
	// while something still does.
	status.State, status.Reason = transport.StateFailed, "the model is missing"
	g.source.Set(status)
	until(noticed + ` && document.querySelector('.notice').textContent.trim() === 'no picture: the model is missing'`)
	require.Equal(t, "rgb(5, 7, 10)", value(`getComputedStyle(document.querySelector('.notice')).backgroundColor`))
	status.State, status.Reason = transport.StateLive, ""
	g.source.Set(status)
	until(`!` + noticed)

	// What changes is shown.
	status.State, status.Reason = transport.StateObscured, "packet loss"
	g.source.Set(status)
	until(`document.querySelector('.state').textContent === 'obscured: packet loss'`)

	// Silence is shown and leads to another session, which plays again.
	opened := g.Counts().Opened
	pause(true)
	until(noticed + ` && document.querySelector('.notice').textContent.trim() === 'no picture'`)
	transporttest.Eventually(t, func() bool { return g.Counts().Opened > opened }, "page reconnects")
	pause(false)
	until(`!` + noticed + ` && ` + video + `.currentTime > 0`)

	// When the worker is gone the gateway ends the session. The page, which knows
	// that the camera sends nothing, says why, reconnects, and plays when the
	// camera is back.
	status.State, status.Reason = transport.StateFailed, "no word from the worker"
	g.source.Set(status)
	until(`document.querySelector('.state').textContent === 'failed: no word from the worker'`)
	before := g.Counts()
	pause(true)
	until(noticed + ` && document.querySelector('.notice').textContent.trim() === 'no picture: no word from the worker'`)
	transporttest.Eventually(t, func() bool { c := g.Counts(); return c.Silent > before.Silent && c.Opened > before.Opened }, "page reconnects")
	pause(false)
	status.State, status.Reason = transport.StateLive, ""
	g.source.Set(status)
	until(`!` + noticed)
	shot(t, tab, "page.png")
}

// shot keeps what the page looks like in the folder SCRIM_SCREENSHOTS, if that is set.
func shot(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("SCRIM_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o600))
}
