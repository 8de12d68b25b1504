package webrtc

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

// wallKinds are cameras in all states, as on the page.
var wallKinds = []struct {
	status transport.Status
	text   string // of the state
	rate   string
	notice string // over the picture; empty: none, once pictures arrive
	color  string // of the state
}{
	{transport.Status{State: transport.StateLive, FPS: 15, ExpectedFPS: 15.3}, "live", "15 pictures/s", "", "rgb(111, 195, 154)"},
	{transport.Status{State: transport.StateLive, FPS: 8.3, ExpectedFPS: 15, Warning: "detector is slow"},
		"live", "8 of 15 pictures/s", "", "rgb(111, 195, 154)"},
	{transport.Status{State: transport.StateBlind, Fault: transport.FaultBlind, Reason: "too dark", CoveredBy: transport.CoveredByMotion, FPS: 15,
		ExpectedFPS: 15, Sight: &transport.Sight{Size: 92.4, Need: 48},
		BlindLastDay: map[transport.BlindReason]float64{transport.BlindDark: 610, transport.BlindNoisy: 60}},
		"blind: too dark · covered by motion", "15 pictures/s", "", "rgb(125, 179, 255)"},
	{transport.Status{State: transport.StateOffline, Fault: transport.FaultCamera, Reason: "connection refused"},
		"offline: connection refused", "", "offline: connection refused", "rgb(255, 107, 94)"},
	{transport.Status{State: transport.StateObscured, Fault: transport.FaultOverload, Reason: "this machine is too slow", ExpectedFPS: 25},
		"obscured: this machine is too slow", "0 of 25 pictures/s", "", "rgb(224, 177, 94)"},
	{transport.Status{State: transport.StateFailed, Fault: transport.FaultConfig, Reason: "model gone.onnx is missing"},
		"failed: model gone.onnx is missing", "", "no picture: model gone.onnx is missing", "rgb(217, 155, 240)"},
	{transport.Status{State: transport.StateStarting}, "starting", "", "starting", "rgb(147, 161, 174)"},
}

func TestWallShowsStateAndRateOfEachCamera(t *testing.T) {
	tab := browser(t)
	g := start(t, Options{Source: transporttest.NewSource()}, func(g *Gateway) { g.times.status = 50 * time.Millisecond })
	ctx, stop := context.WithCancel(tab)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop()
	until := func(condition string) {
		t.Helper()
		transporttest.Eventually(t, func() bool { ok, err := chromedp.Run(tab, chromedp.Evaluate[bool](condition)); return err == nil && ok }, condition)
	}
	eval := func(expression string) string {
		t.Helper()
		got, err := chromedp.Run(tab, chromedp.Evaluate[string](expression))
		require.NoError(t, err)
		return got
	}
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(g.url+"/")))
	units := pattern(t)
	known, shapes := 0, map[string]transport.State{}
	for _, wall := range []struct {
		cameras int
		summary string
	}{
		{1, "1 of 1 live"},
		{4, "2 of 4 live · 1 blind · 1 offline"},
		{24, "8 of 24 live · 4 blind · 3 obscured · 3 offline · 3 failed"},
	} {
		for ; known < wall.cameras; known++ {
			kind := wallKinds[known%len(wallKinds)]
			s := kind.status
			s.Camera, s.Width, s.Height = fmt.Sprintf("camera-%02d", known), 640, 360
			g.source.Set(s)
			if kind.notice == "" {
				sending.Go(func() { playCamera(ctx, g.source, s.Camera, units, func() bool { return false }) })
			}
		}
		until(`document.querySelector('#summary').textContent === '` + wall.summary + `'`)
		for i := range wall.cameras {
			kind := wallKinds[i%len(wallKinds)]
			tile := fmt.Sprintf(`document.querySelectorAll('.tile')[%d]`, i)
			part := func(class string) string { return tile + `.querySelector('` + class + `')` }
			if kind.notice == "" {
				until(`!` + part(".notice") + `.classList.contains('shown')`)
			} else {
				until(part(".notice") + `.classList.contains('shown')`)
				require.Equal(t, kind.notice, eval(part(".notice")+`.textContent.trim()`))
			}
			require.Equal(t, kind.text, eval(part(".state")+`.textContent`))
			require.Equal(t, kind.color, eval(`getComputedStyle(`+part(".state")+`).color`), kind.text)
			require.Equal(t, kind.rate, eval(part(".rate")+`.textContent`))
			// Not by color alone.
			shape := eval(`(({ borderRadius, clipPath, backgroundColor: b }) => [borderRadius, clipPath, b === 'rgba(0, 0, 0, 0)'].join())(
				getComputedStyle(` + part(".state") + `, '::before'))`)
			if of, known := shapes[shape]; known {
				require.Equal(t, of, kind.status.State, "both states have the shape %s", shape)
			}
			shapes[shape] = kind.status.State
		}
		// All pictures are of one size, no text leaves its tile, and up to four cameras
		// need no scrolling, except on a telephone.
		for _, size := range [][2]int64{{360, 740}, {1920, 1080}, {1280, 800}} {
			require.NoError(t, chromedp.Do(tab, chromedp.EmulateViewport(size[0], size[1])))
			until(fmt.Sprintf(`innerWidth === %d && ((e) => e.scrollWidth <= e.clientWidth)(document.documentElement)`, size[0]))
			require.Equal(t, "1", eval(`String(new Set([...document.querySelectorAll('.screen')].map((s) => s.clientHeight)).size)`))
			require.Empty(t, eval(`[...document.querySelectorAll('header > *, .caption > *, .details > *')]
				.filter((p) => p.scrollWidth > p.clientWidth + 1).map((p) => p.textContent).join()`))
			shot(t, tab, fmt.Sprintf("wall-%d-%d.png", wall.cameras, size[0]))
			if wall.cameras <= 4 && size[0] > 360 {
				until(`document.documentElement.scrollHeight <= innerHeight`)
			}
		}
	}

	// A state that this page does not know is not taken for live, though pictures come.
	g.source.Set(transport.Status{Camera: "camera-00", State: "foggy", Reason: "fog", FPS: 15})
	until(`document.querySelector('.notice.shown span')?.textContent === 'no picture: fog'`)
	require.Equal(t, "foggy: fog", eval(`document.querySelector('.state').textContent`))
	require.Empty(t, eval(`document.querySelector('.rate').textContent`))
	until(`document.querySelector('#summary').textContent === '7 of 24 live · 4 blind · 3 obscured · 3 offline · 3 failed'`)
}

// A tile says what the camera sees, and what hides people when it sees nothing.
func TestTileShowsSightAndHowABlindCameraIsCovered(t *testing.T) {
	tab := browser(t)
	m := transporttest.NewSource()
	g := start(t, Options{Source: m}, func(g *Gateway) { g.times.status = 50 * time.Millisecond })
	text := func(class string) string {
		t.Helper()
		got, err := chromedp.Run(tab, chromedp.Evaluate[string](`(({ hidden, textContent: t }) => hidden ? '' : t)(document.querySelector('`+class+`'))`))
		require.NoError(t, err)
		return got
	}
	show := func(s transport.Status) {
		t.Helper()
		s.Camera, s.Width, s.Height = "hall", 1920, 1080
		m.Set(s)
		transporttest.Eventually(t, func() bool {
			got, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector('.state')?.textContent ?? ''`))
			return err == nil && strings.HasSuffix(got, s.Detector)
		}, s.Detector)
	}
	require.NoError(t, chromedp.Do(tab, chromedp.Navigate(g.url+"/")))
	dark := transport.Status{State: transport.StateBlind, Reason: "too dark", Fault: transport.FaultBlind, ExpectedFPS: 15}
	for _, c := range []struct {
		coveredBy transport.CoveredBy
		want      string
	}{
		{transport.CoveredByMotion, "blind: too dark · covered by motion"},
		{transport.CoveredBySlate, "blind: too dark · slate"},
		{transport.CoveredByFaces, "blind: too dark · only found faces are covered"},
		{"", "blind: too dark"},
	} {
		dark.CoveredBy, dark.Detector = c.coveredBy, c.want
		show(dark)
		require.Equal(t, c.want, text(".state"))
		if c.coveredBy == transport.CoveredBySlate {
			require.Empty(t, text(".rate"), "slates are not too slow")
		}
		require.Empty(t, text(".sight"))
	}
	live := transport.Status{State: transport.StateLive, FPS: 15, Detector: "live", Sight: &transport.Sight{Need: 54}}
	show(live)
	require.Equal(t, "sight unknown · need 54 px", text(".sight"))
	require.Empty(t, text(".blind-day"))
	for seconds, want := range map[float64]string{10: "blind 1 min in 24 h", 3000: "blind 50 min in 24 h", 9000: "blind 2.5 h in 24 h"} {
		live.Sight, live.BlindLastDay = &transport.Sight{Size: 33.6, Need: 54}, map[transport.BlindReason]float64{transport.BlindDark: seconds}
		show(live)
		transporttest.Eventually(t, func() bool { return text(".blind-day") == want }, want)
		require.Equal(t, "sight 34 px · need 54 px", text(".sight"))
	}
	live.Warning = transport.RiskyNeedText
	show(live)
	transporttest.Eventually(t, func() bool { return text(".warning") == transport.RiskyNeedText }, "the warning")
	res, err := chromedp.Run(tab, chromedp.Evaluate[string](`document.querySelector('#summary').textContent`))
	require.NoError(t, err)
	require.Equal(t, "1 of 1 live", res)
}
