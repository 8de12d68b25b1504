package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/auth"
	"scrim/transport/fanout"
	"scrim/transport/onvif/device"
	"scrim/transport/rtspserver"
	"scrim/transport/transporttest"
	"scrim/transport/webrtc"
)

// evil holds a bidi override, a zero-width space, a line break and an escape.
const evil = "\u202eevil\u200b text\u2028\r\n\x1b[31m"

// foreign is a source of what came off the bus, as a gateway has it.
type foreign struct {
	conn *Conn

	mu       sync.Mutex
	statuses []transport.Status
	events   []transport.Event
}

func (f *foreign) Cameras() []transport.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]transport.Status(nil), f.statuses...)
}

func (f *foreign) Knows(string) bool { return true } // the strictest test of what follows

func (f *foreign) Subscribe(camera string) (fanout.Subscription, error) {
	return f.conn.Subscribe(site, camera, transport.MainRendition)
}

func (f *foreign) RequestKeyframe(camera string) error { return f.conn.RequestKeyframe(site, camera) }

func (f *foreign) Snapshot(ctx context.Context, camera string) (*transport.Snapshot, error) {
	return f.conn.Snapshot(ctx, site, camera)
}

func (f *foreign) Events(ctx context.Context) <-chan transport.Event {
	ch := make(chan transport.Event, 16)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		ch <- e
	}
	context.AfterFunc(ctx, func() { close(ch) })
	return ch
}

// safe fails if a log, a page or a protocol would show a character of evil. The word
// itself must be there unless the whole message must be dropped.
func safe(t *testing.T, what, text string, shown bool) {
	t.Helper()
	for _, bad := range []string{"\u202e", "\u200b", "\u2028", "\x1b"} {
		require.NotContains(t, text, bad, what)
		escaped, err := json.Marshal(bad)
		require.NoError(t, err)
		require.NotContains(t, text, strings.Trim(string(escaped), `"`), what)
	}
	require.Equal(t, shown, strings.Contains(text, "evil text"), "%s: %s", what, text)
}

func TestForeignTextReachesNobodyUncleaned(t *testing.T) {
	srv := startServer(t, ServerConfig{})
	sender := connect(t, Config{Server: srv})
	out := &transporttest.Log{}
	log := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	conn, err := Connect(t.Context(), Config{Server: srv, Log: log})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	f := &foreign{conn: conn}
	status, err := conn.WatchStatus(site, func(s transport.Status) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.statuses = append(f.statuses, s)
		log.Info("status", "reason", s.Reason, "warning", s.Warning, "detector", s.Detector, "sandbox", s.Sandbox)
	})
	require.NoError(t, err)
	t.Cleanup(status.Close)
	events, err := conn.WatchEvents(site, func(e transport.Event) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.events = append(f.events, e)
	})
	require.NoError(t, err)
	t.Cleanup(events.Close)
	sub, err := conn.Subscribe(site, camera, transport.MainRendition)
	require.NoError(t, err)
	t.Cleanup(sub.Close)
	serveEvilSnapshots(t, sender)
	flush(t, conn)

	// What a hostile or broken worker may publish: the cleaning of Publisher is left out.
	send := func(kind Kind, v any) {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		require.NoError(t, sender.nc.Publish(Address{Site: site, Camera: camera, Kind: kind}.Subject(), b))
	}
	hostile := transport.Status{
		Site: site, Camera: camera, State: transport.StateObscured, Reason: evil, Detector: evil, Warning: evil, Style: evil, Source: evil,
		Sandbox: []string{evil}, SandboxMissing: []string{evil}, Ignored: []string{evil},
		SelfTest: &transport.SelfTest{Reason: evil},
	}
	send(KindStatus, hostile)
	send(KindEvents, transport.Event{Site: site, Camera: camera, State: transport.StateObscured, Reason: evil})
	for _, named := range []struct{ site, camera string }{{site, camera + evil}, {site + evil, camera}} {
		hostile.Site, hostile.Camera = named.site, named.camera
		send(KindStatus, hostile)
	}
	require.NoError(t, sender.nc.Publish(prefix+site+".\u202eevil.status", []byte("{}")))
	u := unit(1, 1, true)
	at := Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: transport.MainRendition}
	m := &nats.Msg{Subject: at.Subject(), Header: nats.Header{}, Data: u.Data}
	writeHeader(m.Header, u, 1, 1)
	m.Header[hdrReason] = []string{strings.ReplaceAll(evil, "\r\n", "")} // a line break ends a NATS header
	require.NoError(t, sender.nc.PublishMsg(m))

	safe(t, "unit", next(t, sub).Reason, true)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.statuses) == 1 && len(f.events) == 1 && strings.Count(out.String(), "message dropped") == 3
	}, 20*time.Second, 5*time.Millisecond)
	shown, err := json.Marshal(f.Cameras())
	require.NoError(t, err)
	safe(t, "status", string(shown), true)
	_, err = conn.Snapshot(transporttest.Context(t), site, camera)
	require.ErrorIs(t, err, ErrNoSnapshot)
	safe(t, "snapshot", err.Error(), true)
	askWebRTC(t, f, log)
	askONVIF(t, f, log)
	askRTSP(t, f, log)
	text := out.String()
	require.Contains(t, text, "evil text")
	require.False(t, strings.ContainsAny(text, "\u202e\u200b\u2028"), text)
}

// serveEvilSnapshots answers requests for snapshots with an error in hostile words.
func serveEvilSnapshots(t *testing.T, c *Conn) {
	t.Helper()
	_, err := c.nc.Subscribe(Address{Site: site, Camera: camera, Kind: KindSnapshot}.Subject(), func(m *nats.Msg) {
		answer := &nats.Msg{Subject: m.Reply, Header: nats.Header{hdrCamera: {camera}, hdrError: {strings.ReplaceAll(evil, "\r\n", "")}}}
		_ = c.nc.PublishMsg(answer)
	})
	require.NoError(t, err)
	flush(t, c)
}

func askWebRTC(t *testing.T, f *foreign, log *slog.Logger) {
	t.Helper()
	g, err := webrtc.New(webrtc.Options{Source: f, Log: log})
	require.NoError(t, err)
	web := httptest.NewServer(g.Handler())
	t.Cleanup(web.Close)
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	safe(t, "API", get(t, web, "/api/cameras"), true)
	safe(t, "metrics", get(t, web, "/metrics"), false)
	safe(t, "health", get(t, web, "/healthz"), false)
	safe(t, "snapshot", get(t, web, "/api/cameras/"+camera+"/snapshot.jpg"), false)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, web.URL+"/api/events", http.NoBody)
	require.NoError(t, err)
	res, err := web.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var stream bytes.Buffer
	for strings.Count(stream.String(), "data:") < 2 {
		_, err := io.CopyN(&stream, res.Body, 1)
		require.NoError(t, err)
	}
	safe(t, "event stream", stream.String(), true)
}

func get(t *testing.T, web *httptest.Server, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+path, http.NoBody)
	require.NoError(t, err)
	res, err := web.Client().Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return fmt.Sprint(res.Header, string(b))
}

func open(t *testing.T) *auth.Control {
	t.Helper()
	access, err := auth.New(nil, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return access
}

func askONVIF(t *testing.T, f *foreign, log *slog.Logger) {
	t.Helper()
	d, err := device.New(device.Options{
		Cameras: f.Cameras, Snapshot: f.Snapshot, Access: open(t), StreamScheme: "rtsp", StreamPort: 8554, Site: site, Version: "test", Log: log,
	})
	require.NoError(t, err)
	for _, operation := range []string{"GetProfiles", "GetDeviceInformation", "GetVideoSources"} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/onvif/media_service", strings.NewReader(
			`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>`+
				`<`+operation+` xmlns="http://www.onvif.org/ver10/media/wsdl"/></s:Body></s:Envelope>`)))
		require.Contains(t, w.Body.String(), operation+"Response")
		safe(t, "ONVIF", w.Body.String(), false)
	}
}

func askRTSP(t *testing.T, f *foreign, log *slog.Logger) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	require.NoError(t, err)
	s, err := rtspserver.New(rtspserver.Options{Source: f, Listener: l, Access: open(t), Log: log})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	c, err := net.Dial("tcp", l.Addr().String()) //nolint:noctx // at once
	require.NoError(t, err)
	_, err = fmt.Fprintf(c, "DESCRIBE rtsp://%s/%%E2%%80%%AEevil%%20text RTSP/1.0\r\nCSeq: 1\r\n\r\n", l.Addr())
	require.NoError(t, err)
	answer := make([]byte, 4096)
	n, err := c.Read(answer)
	require.NoError(t, err)
	require.Contains(t, string(answer[:n]), "404")
	safe(t, "RTSP", string(answer[:n]), false)
	require.NoError(t, c.Close())
	cancel()
	if err := <-done; err != nil {
		require.True(t, errors.Is(err, context.Canceled), err)
	}
}
