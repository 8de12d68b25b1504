package webrtc

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

// freezer is a TCP proxy that can stop passing bytes on without closing a connection,
// as a cable does that is pulled.
type freezer struct {
	url    string
	frozen sync.RWMutex // held for writing while nothing passes
}

func newFreezer(t *testing.T, url string) *freezer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f := &freezer{url: "http://" + listener.Addr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { f.join(ctx, client, strings.TrimPrefix(url, "http://")) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		running.Wait()
	})
	return f
}

// join passes bytes both ways until one side closes.
func (f *freezer) join(ctx context.Context, client net.Conn, address string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		_ = client.Close()
		return
	}
	context.AfterFunc(ctx, func() { _, _ = client.Close(), server.Close() })
	var both sync.WaitGroup
	both.Go(func() { defer cancel(); f.pass(server, client) })
	both.Go(func() { defer cancel(); f.pass(client, server) })
	both.Wait()
}

func (f *freezer) pass(to io.Writer, from io.Reader) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		f.frozen.RLock()
		_, werr := to.Write(buf[:n])
		f.frozen.RUnlock()
		if err != nil || werr != nil {
			return
		}
	}
}

// countingScript counts from now on which listeners stay on signals, and how often the
// event stream is opened.
const countingScript = `(() => {
  window.abortListeners = window.eventStreams = 0;
  const { fetch } = window;
  window.fetch = (url, init) => { if (String(url).endsWith('/api/events')) eventStreams++; return fetch(url, init); };
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  AbortSignal.prototype.addEventListener = function (...given) { abortListeners++; return addEventListener.apply(this, given); };
  AbortSignal.prototype.removeEventListener = function (...given) { abortListeners--; return removeEventListener.apply(this, given); };
  return true;
})()`

func TestPageSaysSoWhenTheGatewayFallsSilent(t *testing.T) {
	t.Parallel()
	tab := browser(t)
	g := start(t, Options{Source: transporttest.NewSource(camera)})
	proxy := newFreezer(t, g.url)
	ctx, stop := context.WithCancel(tab)
	var paused atomic.Bool
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop()
	units := pattern(t)
	sending.Go(func() { play(ctx, g.source, units, paused.Load) })

	until := func(condition string) {
		t.Helper()
		transporttest.Eventually(t, func() bool { ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](condition)); return err == nil && ok }, condition)
	}
	number := func(expression string) int {
		t.Helper()
		n, err := chromedp.Run(tab, chromedp.Evaluate[int](expression))
		require.NoError(t, err)
		return n
	}
	const (
		summary = `document.querySelector('#summary').textContent`
		state   = `document.querySelector('.state').textContent`
		notice  = `document.querySelector('.notice').textContent.trim()`
	)
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(proxy.url+"/")))
	until(video + `?.videoWidth === 320 && !` + noticed)
	until(summary + ` === '1 of 1 live'`)
	until(countingScript)

	// Where nothing changes the stream stays open, and the tile, which looks twice a second
	// whether pictures come, keeps nothing of that.
	time.Sleep(7 * time.Second)
	require.Zero(t, number("eventStreams"))
	require.LessOrEqual(t, number("abortListeners"), 3)
	until(summary + ` === '1 of 1 live'`)

	// Not a byte comes, and no connection is closed. Pictures still come, by UDP, and are shown.
	proxy.frozen.Lock()
	thaw := sync.OnceFunc(proxy.frozen.Unlock)
	defer thaw()
	began := time.Now()
	until(summary + ` === 'No connection to the gateway'`)
	require.Less(t, time.Since(began), 12*time.Second)
	until(state + ` === 'no connection' && document.querySelector('.tile').dataset.state === 'unknown'`)
	until(`!` + noticed + ` && document.querySelector('.size').textContent === '640 × 360'`)
	shot(t, tab, "outage.png")

	// Without pictures the tile does not show the last one.
	paused.Store(true)
	until(noticed + ` && ` + notice + ` === 'no connection'`)
	shot(t, tab, "outage-covered.png")

	thaw()
	paused.Store(false)
	until(summary + ` === '1 of 1 live' && ` + state + ` === 'live' && !` + noticed)
}
