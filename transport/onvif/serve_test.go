package onvif

import (
	"net/http"
	"net/http/httptest"
)

// serve answers requests by a handler without a network: a fuzzer makes thousands
// a second.
type serve struct{ h http.Handler }

// RoundTrip implements http.RoundTripper.
func (s serve) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return w.Result(), nil
}
