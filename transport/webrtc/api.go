package webrtc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
)

// getCameras lists the cameras and their states.
func (g *Gateway) getCameras(w http.ResponseWriter, _ *http.Request) error {
	all := append([]transport.Status{}, g.opt.Source.Cameras()...) // never null
	for i := range all {
		all[i].Sight = all[i].Sight.Summary()
	}
	return writeJSON(w, all)
}

// getSnapshot sends a camera's picture as viewers see it: redacted, or a slate.
func (g *Gateway) getSnapshot(w http.ResponseWriter, r *http.Request) error {
	camera := r.PathValue("camera")
	ctx, cancel := context.WithTimeout(r.Context(), snapshotTimeout)
	defer cancel()
	s, err := g.opt.Source.Snapshot(ctx, camera)
	switch {
	case errors.Is(err, fanout.ErrNoCamera):
		return refuse(http.StatusNotFound, "unknown camera %.64q", camera)
	case err != nil:
		g.log.Debug("no snapshot", "camera", camera, "error", err)
		return refuse(http.StatusServiceUnavailable, "no picture of camera %s at the moment", camera)
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(s.JPEG)))
	h.Set("Last-Modified", s.Captured.UTC().Format(http.TimeFormat))
	h.Set("Scrim-State", string(s.State))
	_, _ = w.Write(s.JPEG)
	return nil
}

// health is the answer to a monitor.
type health struct {
	Status  string `json:"status"`
	Cameras int    `json:"cameras"`
	Live    int    `json:"live"`
	// Blind cameras send, but the detector cannot see in their pictures.
	Blind int `json:"blind"`
	// Obscured cameras send, but show a slate for now, or are starting.
	Obscured int `json:"obscured"`
	// Offline cameras cannot be reached, or send nothing.
	Offline int `json:"offline"`
	// Failed cameras send nothing, or their redactor does not work.
	Failed int `json:"failed"`
	// SelfTestsFailed are cameras whose redactor no longer finds or obscures a drawn
	// face. Nothing of them is shown.
	SelfTestsFailed int `json:"self_tests_failed"`
	// States are by camera. Only clients who may see the cameras get their names.
	States map[string]transport.State `json:"states,omitzero"`
}

// getHealth reports whether the gateway works, and how many cameras do. An offline or
// blind camera is not a failure of this program, and every site has one. A failed
// self-test is a failure, and so is the failure of all cameras.
func (g *Gateway) getHealth(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	h := health{Status: "ok"}
	if g.authorised(r) {
		h.States = make(map[string]transport.State)
	}
	cameras, _ := g.statuses()
	for _, c := range cameras {
		h.Cameras++
		switch {
		case c.State == transport.StateLive:
			h.Live++
		case c.State == transport.StateBlind:
			h.Blind++
		case c.State == transport.StateOffline:
			h.Offline++
		case c.State == transport.StateFailed || c.Fault.OfRedactor():
			h.Failed++
		default:
			h.Obscured++
		}
		if c.SelfTest != nil && !c.SelfTest.OK {
			h.SelfTestsFailed++
		}
		if h.States != nil {
			h.States[c.Camera] = c.State
		}
	}
	switch {
	case h.SelfTestsFailed > 0:
		h.Status = "self-test failed"
	case h.Failed > 0 && h.Failed == h.Cameras:
		h.Status = "all cameras failed"
	}
	if h.Status != "ok" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	return writeJSON(w, h)
}

func writeJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n'))
	return nil
}

// writeTimeout bounds one write to an event stream.
const writeTimeout = 10 * time.Second

// getEvents sends events ("event: event") and the states of cameras ("event: camera",
// first of all cameras, then of changed ones; "event: gone" with the name of a removed
// camera). The source is asked for its cameras a few times a second at most, however
// many events and streams there are.
func (g *Gateway) getEvents(w http.ResponseWriter, r *http.Request) error {
	if !g.enter() {
		return refuse(http.StatusServiceUnavailable, "the gateway is shutting down")
	}
	defer g.wg.Done()
	defer g.count.eventStreams.Add(-1)
	if g.count.eventStreams.Add(1) > maxEventStreams {
		return refuse(http.StatusServiceUnavailable, "limit of %d event streams reached; try again later", maxEventStreams)
	}
	ctx := r.Context()
	events := g.opt.Source.Events(ctx)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for nginx, which would buffer it
	s := &stream{w: w, control: http.NewResponseController(w), sent: map[string]transport.Status{}}
	heartbeat, poll := time.NewTicker(g.times.heartbeat), time.NewTicker(g.times.status)
	defer heartbeat.Stop()
	defer poll.Stop()
	var soon <-chan time.Time // set after an event, until the next poll
	s.comment("scrim")
	s.cameras(g.statuses())
	for s.flush() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-g.ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				return nil
			}
			s.event("event", e)
			if soon == nil {
				soon = time.After(g.times.event)
			}
		case <-soon:
			soon = nil
			s.cameras(g.statuses())
		case <-poll.C:
			s.cameras(g.statuses())
		case <-heartbeat.C:
			s.comment("")
		}
	}
	return nil
}

// stream is one client of server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
	started bool
	sent    map[string]transport.Status // without counters
	number  uint64                      // of their list
}

func (s *stream) comment(text string) { fmt.Fprintf(&s.buf, ": %s\n\n", text) }

func (s *stream) event(name string, v any) {
	if b, err := json.Marshal(v); err == nil { // JSON has no line breaks
		fmt.Fprintf(&s.buf, "event: %s\ndata: %s\n\n", name, b)
	}
}

// cameras sends the states that differ from those sent before. Changes of counters
// alone do not count. The number identifies the list.
func (s *stream) cameras(all []transport.Status, number uint64) {
	if number == s.number {
		return
	}
	s.number = number
	for _, c := range all {
		c.Sight = c.Sight.Summary()
		plain := c
		plain.Counters, plain.Updated = transport.Counters{}, time.Time{}
		if before, ok := s.sent[c.Camera]; !ok || !reflect.DeepEqual(before, plain) {
			s.sent[c.Camera] = plain
			s.event("camera", c)
		}
	}
	if len(s.sent) == len(all) {
		return // names are unique, so none is gone
	}
	now := make(map[string]bool, len(all))
	for _, c := range all {
		now[c.Camera] = true
	}
	for name := range s.sent {
		if !now[name] {
			delete(s.sent, name)
			s.event("gone", name)
		}
	}
}

// flush writes the buffered events. A client that does not read ends its own stream
// only.
func (s *stream) flush() error {
	if s.started && s.buf.Len() == 0 {
		return nil
	}
	s.started = true
	// A ResponseWriter without deadlines falls back on the server's.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return err
	}
	s.buf.Reset()
	return s.control.Flush()
}
