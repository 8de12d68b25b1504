package webrtc

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

func TestCameras(t *testing.T) {
	g := start(t, Options{})
	res, body := do(t, http.MethodGet, g.url+"/api/cameras", "")
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	var got []transport.Status
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, g.source.Cameras(), got)
	none := start(t, Options{Source: transporttest.NewSource()})
	_, body = do(t, http.MethodGet, none.url+"/api/cameras", "")
	require.Equal(t, "[]\n", body)
}

// sse reads server-sent events.
type sse struct {
	body  io.Closer
	lines *bufio.Scanner
}

func follow(t *testing.T, g *rig) *sse {
	t.Helper()
	req, err := http.NewRequestWithContext(transporttest.Context(t), http.MethodGet, g.url+"/api/events", http.NoBody)
	require.NoError(t, err)
	tr := &http.Transport{}
	res, err := (&http.Client{Transport: tr}).Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	t.Cleanup(func() { _ = res.Body.Close(); tr.CloseIdleConnections() })
	return &sse{body: res.Body, lines: bufio.NewScanner(res.Body)}
}

// next returns the type and data of the next event, or ":" for a comment.
func (s *sse) next(t *testing.T) (kind, data string) {
	t.Helper()
	for s.lines.Scan() {
		switch line := s.lines.Text(); {
		case line == "" && kind != "":
			return kind, data
		case strings.HasPrefix(line, ":"):
			kind = ":"
		case strings.HasPrefix(line, "event: "):
			kind = line[7:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		}
	}
	require.NoError(t, s.lines.Err())
	return "", ""
}

func TestEvents(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.status = time.Millisecond })
	s := follow(t, g)
	kind, _ := s.next(t)
	require.Equal(t, ":", kind)
	for _, want := range g.source.Cameras() {
		kind, data := s.next(t)
		require.Equal(t, "camera", kind)
		var got transport.Status
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, want, got)
	}
	status := g.source.Cameras()[1]
	status.Counters.UnitsIn, status.Updated = 17, time.Now() // no reason to say anything
	g.source.Set(status)
	status.State, status.Reason = transport.StateObscured, "packet loss"
	g.source.Set(status)
	kind, data := s.next(t)
	require.Equal(t, "camera", kind)
	require.Contains(t, data, `"name":"yard","state":"obscured","reason":"packet loss"`)

	g.source.Happen(transport.Event{Site: "plant", Camera: camera, State: transport.StateFailed, Reason: "two\nlines"})
	kind, data = s.next(t)
	require.Equal(t, "event", kind)
	require.Contains(t, data, `"reason":"two\nlines"`)

	g.source.Remove(camera)
	kind, data = s.next(t)
	require.Equal(t, "gone", kind)
	require.Equal(t, `"gate"`, data)

	require.NoError(t, g.Close())
	kind, _ = s.next(t)
	require.Empty(t, kind, "the stream ends with the gateway")
}

func TestManyEventsAreOneLookAtTheCameras(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.status, g.times.event = time.Hour, time.Hour })
	streams := []*sse{follow(t, g), follow(t, g), follow(t, g)}
	for _, s := range streams {
		for range 1 + 2 { // the comment, and both cameras
			s.next(t)
		}
	}
	before := g.source.Listed()
	require.LessOrEqual(t, before, len(streams))
	for range 10 {
		g.source.Happen(transport.Event{Site: "plant", Camera: camera, State: transport.StateFailed})
	}
	for _, s := range streams {
		for range 10 {
			kind, _ := s.next(t)
			require.Equal(t, "event", kind)
		}
	}
	require.Equal(t, before, g.source.Listed())
}

func TestStatusFollowsAnEvent(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) {
		g.times.status, g.times.event, g.times.list = time.Hour, 2*time.Millisecond, time.Millisecond
	})
	s := follow(t, g)
	for range 1 + 2 {
		s.next(t)
	}
	status := g.source.Cameras()[0]
	status.State = transport.StateFailed
	g.source.Set(status)
	g.source.Happen(transport.Event{Site: "plant", Camera: camera, State: transport.StateFailed})
	kind, _ := s.next(t)
	require.Equal(t, "event", kind)
	kind, data := s.next(t)
	require.Equal(t, "camera", kind)
	require.Contains(t, data, `"state":"failed"`)
}

func TestStreamsShareASnapshot(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.list = time.Hour })
	for range 3 {
		cameras, number := g.statuses()
		require.Len(t, cameras, 2)
		require.EqualValues(t, 1, number)
	}
	require.Equal(t, 1, g.source.Listed())
}

func TestEventsHeartbeat(t *testing.T) {
	g := start(t, Options{}, func(g *Gateway) { g.times.heartbeat = time.Millisecond })
	s := follow(t, g)
	for beats := 0; beats < 3; {
		if kind, _ := s.next(t); kind == ":" {
			beats++
		} else {
			require.Equal(t, "camera", kind)
		}
	}
	require.EqualValues(t, 1, g.count.eventStreams.Load())
	require.NoError(t, s.body.Close())
	transporttest.Eventually(t, func() bool { return g.count.eventStreams.Load() == 0 }, "handler notices that the client has gone")
}

func TestEventStreamsAreLimited(t *testing.T) {
	g := start(t, Options{})
	g.count.eventStreams.Add(maxEventStreams)
	res, _ := do(t, http.MethodGet, g.url+"/api/events", "")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	g.count.eventStreams.Add(-maxEventStreams)
}

func TestSnapshotIsForThoseWhoMayWatch(t *testing.T) {
	g := start(t, Options{Token: secret})
	url := g.url + "/api/cameras/" + camera + "/snapshot.jpg"
	res, body := do(t, http.MethodGet, url, "", "Authorization", "Bearer "+secret)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "a picture", body)
	require.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
	require.Equal(t, "live", res.Header.Get("Scrim-State"))
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	res, _ = do(t, http.MethodGet, url, "")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	res, _ = do(t, http.MethodGet, g.url+"/api/cameras/absent/snapshot.jpg", "", "Authorization", "Bearer "+secret)
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	g.source.Fail(errBroken)
	res, _ = do(t, http.MethodGet, url, "", "Authorization", "Bearer "+secret)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
}
