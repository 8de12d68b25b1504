package webrtc

import (
	"io"
	"net/http"
	"slices"
	"strings"
)

// Types of bodies.
const (
	mimeSDP      = "application/sdp"
	mimeFragment = "application/trickle-ice-sdpfrag"
)

// postOffer opens a session.
func (g *Gateway) postOffer(w http.ResponseWriter, r *http.Request) {
	camera := r.PathValue("camera")
	if !g.knows(camera) {
		fail(w, refuse(http.StatusNotFound, "unknown camera %.64q", camera))
		return
	}
	raw, err := body(w, r, mimeSDP, maxOfferBytes)
	if err != nil {
		fail(w, err)
		return
	}
	o, err := parseOffer(raw)
	if err != nil {
		fail(w, err)
		return
	}
	s, answer, err := g.open(r.Context(), camera, o)
	if err != nil {
		g.log.Debug("session refused", "camera", camera, "error", err)
		fail(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mimeSDP)
	// Relative to the URL of the request (RFC 9110, section 10.2.2), which a proxy may
	// map below another path than "/".
	h.Set("Location", camera+"/"+s.id)
	h.Set("ETag", s.etag)
	g.addLinks(h)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer) // if this fails, the session ends by itself
}

// patchSession adds candidates. It refuses an ICE restart with 422, as the draft
// requires of a server that supports trickle ICE only.
func (g *Gateway) patchSession(w http.ResponseWriter, r *http.Request) {
	s := g.find(r.PathValue("camera"), r.PathValue("session"))
	if s == nil {
		fail(w, noSession())
		return
	}
	raw, err := body(w, r, mimeFragment, maxFragmentBytes)
	if err == nil {
		err = matches(r.Header.Values("If-Match"), s.etag)
	}
	var f *fragment
	if err == nil {
		f, err = parseFragment(raw)
	}
	if err == nil {
		err = s.trickle(f)
	}
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("ETag", s.etag)
	w.WriteHeader(http.StatusNoContent)
}

// matches checks If-Match (RFC 9110, section 13.1.1).
func matches(fields []string, etag string) error {
	if len(fields) == 0 {
		return refuse(http.StatusPreconditionRequired, "If-Match is missing; send the ETag of the session")
	}
	tags := strings.Split(strings.Join(fields, ","), ",")
	if slices.ContainsFunc(tags, func(t string) bool { t = strings.TrimSpace(t); return t == "*" || t == etag }) {
		return nil
	}
	return refuse(http.StatusPreconditionFailed, "If-Match is not the ETag of the session")
}

// deleteSession ends a session.
func (g *Gateway) deleteSession(w http.ResponseWriter, r *http.Request) {
	s := g.find(r.PathValue("camera"), r.PathValue("session"))
	if s == nil {
		fail(w, noSession())
		return
	}
	s.cancel()
	w.WriteHeader(http.StatusOK)
}

func noSession() error {
	return refuse(http.StatusNotFound, "unknown session; it may have ended")
}
