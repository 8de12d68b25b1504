package webrtc

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/transport/transporttest"
)

// embedding is a page of another site. README.md shows the lines that it takes.
const embedding = `<!doctype html>
<video muted playsinline></video>
<script type="module">
  import { WhepClient } from '%[1]s/whep.js';
  const video = document.querySelector('video');
  window.client = new WhepClient({ url: '%[1]s/whep/gate', video, token: '%[2]s' });
  client.start();
  window.refused = new WhepClient({ url: '%[1]s/whep/gate', video: document.createElement('video'), token: 'wrong' });
  refused.addEventListener('statechange', () => { window.error ??= refused.error; });
  refused.start();
</script>`

func TestWhepClientPlaysInAPageOfAnotherSite(t *testing.T) {
	t.Parallel()
	tab := browser(t)
	g := start(t, Options{Token: secret, Source: transporttest.NewSource(camera), AllowOrigins: []string{"*"}})
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, embedding, g.url, secret)
	}))
	defer site.Close()
	ctx, stop := context.WithCancel(tab)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop()
	units := pattern(t)
	sending.Go(func() { play(ctx, g.source, units, func() bool { return false }) })
	until := func(condition string) {
		t.Helper()
		transporttest.Eventually(t, func() bool { ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](condition)); return err == nil && ok }, condition)
	}

	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(site.URL)))
	until(`client.state === 'playing' && document.querySelector('video').videoWidth === 320`)
	until(`window.error?.name === 'WhepError' && error.status === 401`)
	require.Equal(t, 1, g.Counts().Sessions)

	// The end is told to the gateway.
	until(`(client.close(), refused.close(), true)`)
	until(`client.state === 'closed' && document.querySelector('video').srcObject === null`)
	transporttest.Eventually(t, func() bool { return g.Counts().Sessions == 0 }, "session is deleted")
}
