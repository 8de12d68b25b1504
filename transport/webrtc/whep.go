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
func (g *Gateway) postOffer(w http.ResponseWriter, r *http.Request) error {
	camera := r.PathValue("camera")
	if !g.knows(camera) {
		return refuse(http.StatusNotFound, "unknown camera %.64q", camera)
	}
	raw, err := body(w, r, mimeSDP, maxOfferBytes)
	if err != nil {
		return err
	}
	o, err := parseOffer(raw)
	if err != nil {
		return err
	}
	s, answer, err := g.open(r.Context(), camera, o)
	if err != nil {
		g.log.Debug("session refused", "camera", camera, "error", err)
		return err
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
	return nil
}

// patchSession adds candidates. It refuses an ICE restart with 422, as the draft
// requires of a server that supports trickle ICE only.
func (g *Gateway) patchSession(w http.ResponseWriter, r *http.Request) error {
	s, err := g.find(r)
	if err != nil {
		return err
	}
	raw, err := body(w, r, mimeFragment, maxFragmentBytes)
	if err != nil {
		return err
	}
	if err := matches(r.Header.Values("If-Match"), s.etag); err != nil {
		return err
	}
	f, err := parseFragment(raw)
	if err != nil {
		return err
	}
	if err := s.trickle(f); err != nil {
		return err
	}
	w.Header().Set("ETag", s.etag)
	w.WriteHeader(http.StatusNoContent)
	return nil
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
func (g *Gateway) deleteSession(_ http.ResponseWriter, r *http.Request) error {
	s, err := g.find(r)
	if err == nil {
		s.cancel()
	}
	return err
}
