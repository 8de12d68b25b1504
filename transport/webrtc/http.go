package webrtc

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// contentPolicy allows the page its own files only.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler answers a request. What it returns is an error for the client, see fail.
type handler func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		fail(w, err)
	}
}

// succeeds is the handler of something that reports its errors itself.
func succeeds(h http.Handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h.ServeHTTP(w, r)
		return nil
	}
}

func (g *Gateway) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/whep/{camera}", g.methods(map[string]handler{http.MethodPost: g.postOffer}))
	mux.Handle("/whep/{camera}/{session}", g.methods(map[string]handler{http.MethodPatch: g.patchSession, http.MethodDelete: g.deleteSession}))
	mux.Handle("/api/cameras", g.methods(map[string]handler{http.MethodGet: g.getCameras}))
	mux.Handle("/api/cameras/{camera}/snapshot.jpg", g.methods(map[string]handler{http.MethodGet: g.getSnapshot}))
	mux.Handle("/api/cameras/{camera}/sight", g.methods(map[string]handler{http.MethodGet: g.getSight}))
	mux.Handle("/api/events", g.methods(map[string]handler{http.MethodGet: g.getEvents}))
	mux.Handle("/metrics", g.methods(map[string]handler{http.MethodGet: succeeds(g.metricsHandler())}))
	mux.Handle("/healthz", readOnly(g.getHealth))
	mux.Handle("/", readOnly(succeeds(pageHandler())))
	return g.headers(g.hosts(mux))
}

// headers sets the headers of every answer, and those that let pages of allowed origins
// read it.
func (g *Gateway) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origin != "" {
			switch {
			case slices.Contains(g.opt.AllowOrigins, "*"):
				h.Set("Access-Control-Allow-Origin", "*") // no cookies are used, so none can be abused
			case slices.Contains(g.opt.AllowOrigins, origin):
				h.Set("Access-Control-Allow-Origin", origin)
			}
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			h.Set("Access-Control-Expose-Headers", "Location, Link, ETag, Accept-Post, Retry-After, WWW-Authenticate")
		}
		next.ServeHTTP(w, r)
	})
}

// methods checks the token and calls the handler of the method. It answers OPTIONS,
// which browsers send without a token.
func (g *Gateway) methods(by map[string]handler) handler {
	allow := strings.Join(append([]string{http.MethodOptions}, slices.Sorted(maps.Keys(by))...), ", ")
	_, posts := by[http.MethodPost]
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		if posts {
			w.Header().Set("Accept-Post", mimeSDP)
		}
		switch f := by[r.Method]; {
		case r.Method == http.MethodOptions:
			g.preflight(w, r, allow)
			return nil
		case f == nil:
			w.Header().Set("Allow", allow)
			return refuse(http.StatusMethodNotAllowed, "method %.20q is not supported here; use %s", r.Method, allow)
		case !g.authorised(r):
			w.Header().Set("WWW-Authenticate", `Bearer realm="scrim"`)
			return refuse(http.StatusUnauthorized, "a valid bearer token is required")
		default:
			return f(w, r)
		}
	}
}

// readOnly accepts GET and HEAD, without a token.
func readOnly(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			return refuse(http.StatusMethodNotAllowed, "method %.20q is not supported here; use GET", r.Method)
		}
		return next(w, r)
	}
}

func (g *Gateway) preflight(w http.ResponseWriter, r *http.Request, allow string) {
	h := w.Header()
	h.Set("Allow", allow)
	if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		h.Set("Access-Control-Max-Age", "600")
	}
	if h.Get("Accept-Post") != "" && g.authorised(r) {
		g.addLinks(h) // they contain the TURN server's password
	}
	w.WriteHeader(http.StatusNoContent)
}

// authorised compares the token in constant time.
func (g *Gateway) authorised(r *http.Request) bool {
	if g.opt.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(g.opt.Token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// addLinks lists the ICE servers.
func (g *Gateway) addLinks(h http.Header) {
	for _, s := range g.opt.ICEServers {
		link := "<" + s.URL + `>; rel="ice-server"`
		if s.User != "" {
			link += "; username=" + quoted(s.User) + "; credential=" + quoted(s.Password) + `; credential-type="password"`
		}
		h.Add("Link", link)
	}
}

// quoted returns a quoted-string (RFC 9110, section 5.6.4).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// body reads at most limit bytes of the given type.
func body(w http.ResponseWriter, r *http.Request, mimeType string, limit int64) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != mimeType {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body must be %s", mimeType)
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", limit)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the body did not arrive: %s", brief(err))
	}
	return b, nil
}

// fail writes an error as one line of text.
func fail(w http.ResponseWriter, err error) {
	status, msg := http.StatusInternalServerError, "internal error"
	if r, ok := errors.AsType[*refusal](err); ok {
		status, msg = r.status, r.msg
	}
	h := w.Header()
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, msg+"\n")
}
