package webrtc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"scrim/transport"
)

// getCameras lists the cameras and their state.
func (g *Gateway) getCameras(w http.ResponseWriter, _ *http.Request) {
	cameras := g.opt.Source.Cameras()
	if cameras == nil {
		cameras = []transport.Status{}
	}
	writeJSON(w, cameras)
}

// getHealth says that the gateway works, and how many cameras do.
func (g *Gateway) getHealth(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	health := struct {
		Status  string `json:"status"`
		Cameras int    `json:"cameras"`
		Live    int    `json:"live"`
	}{Status: "ok"}
	for _, c := range g.opt.Source.Cameras() {
		health.Cameras++
		if c.State == transport.StateLive {
			health.Live++
		}
	}
	writeJSON(w, health)
}

func writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
}

// writeTimeout bounds one write to an event stream.
const writeTimeout = 10 * time.Second

// getEvents sends, as they come, events ("event: event") and states of cameras
// ("event: camera", first all of them, later those that changed; "event: gone"
// with a name for one that is no longer known).
func (g *Gateway) getEvents(w http.ResponseWriter, r *http.Request) {
	if !g.enter() {
		fail(w, refuse(http.StatusServiceUnavailable, "the gateway is shutting down"))
		return
	}
	defer g.wg.Done()
	defer g.count.eventStreams.Add(-1)
	if g.count.eventStreams.Add(1) > maxEventStreams {
		fail(w, refuse(http.StatusServiceUnavailable, "all %d event streams are taken; try again later", maxEventStreams))
		return
	}
	ctx := r.Context()
	events := g.opt.Source.Events(ctx)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for nginx, which would collect it
	s := &stream{w: w, control: http.NewResponseController(w), sent: map[string]transport.Status{}}
	beat, look := time.NewTicker(g.times.heartbeat), time.NewTicker(g.times.status)
	defer beat.Stop()
	defer look.Stop()
	s.comment("scrim")
	s.cameras(g.opt.Source.Cameras())
	for s.flush() == nil {
		select {
		case <-ctx.Done():
			return
		case <-g.ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			s.event("event", e)
			s.cameras(g.opt.Source.Cameras())
		case <-look.C:
			s.cameras(g.opt.Source.Cameras())
		case <-beat.C:
			s.comment("")
		}
	}
}

// stream is one client of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
	begun   bool
	sent    map[string]transport.Status
}

func (s *stream) comment(text string) { fmt.Fprintf(&s.buf, ": %s\n\n", text) }

func (s *stream) event(name string, v any) {
	if b, err := json.Marshal(v); err == nil { // JSON has no line breaks
		fmt.Fprintf(&s.buf, "event: %s\ndata: %s\n\n", name, b)
	}
}

// cameras sends the states that are not what was sent before. Counters alone are
// no reason.
func (s *stream) cameras(all []transport.Status) {
	now := make(map[string]transport.Status, len(all))
	for _, c := range all {
		plain := c
		plain.Counters, plain.Updated = transport.Counters{}, time.Time{}
		now[c.Camera] = plain
		if before, ok := s.sent[c.Camera]; !ok || before != plain {
			s.event("camera", c)
		}
	}
	for name := range s.sent {
		if _, ok := now[name]; !ok {
			s.event("gone", name)
		}
	}
	s.sent = now
}

// flush writes what has been collected. A client that does not read ends its
// stream and costs nobody else anything.
func (s *stream) flush() error {
	if s.begun && s.buf.Len() == 0 {
		return nil
	}
	s.begun = true
	// Not every ResponseWriter has a deadline; the server's own is used then.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return err
	}
	s.buf.Reset()
	return s.control.Flush()
}
