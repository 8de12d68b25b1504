package pull

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models"
)

func TestPartWithAnyContentIsCompleted(t *testing.T) {
	changed := bytes.Clone(content)
	changed[7]++
	for name, c := range map[string]struct {
		part    []byte
		handler http.HandlerFunc
		ranges  []string
	}{
		"begun":                     {content[:5000], whole(content), []string{"bytes=5000-"}},
		"server ignores ranges":     {content[:5000], noRanges(content), []string{"bytes=5000-"}},
		"of another file":           {changed[:5000], whole(content), []string{"bytes=5000-", ""}},
		"complete":                  {content, whole(content), []string{}},
		"complete and wrong":        {changed, whole(content), []string{""}},
		"too long":                  {append(bytes.Clone(content), 1), whole(content), []string{""}},
		"empty":                     {nil, whole(content), []string{""}},
		"wrong and ignoring server": {changed[:5000], noRanges(content), []string{"bytes=5000-"}},
		"server has no such range": {content[:5000], func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			whole(content)(w, r)
		}, []string{"bytes=5000-", ""}},
		"server sends another range": {content[:5000], func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				r.Header.Set("Range", "bytes=6000-")
			}
			whole(content)(w, r)
		}, []string{"bytes=5000-", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, c.handler)
			dir := t.TempDir()
			write(t, dir, "test.onnx.part", c.part)
			path, err := pullFrom(t, o, modelAt(o.URL), dir)
			require.NoError(t, err)
			requireContent(t, path)
			requireOnly(t, dir, "test.onnx")
			require.Equal(t, c.ranges, o.requests())
		})
	}
}

func TestWrongContentIsDeletedAndRefused(t *testing.T) {
	changed := bytes.Clone(content)
	changed[len(changed)-1]++
	for name, handler := range map[string]http.HandlerFunc{
		"one bit": whole(changed),
		"short":   noRanges([]byte("<html>Sign in, please</html>")),
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(content[:9])
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, handler)
			dir := t.TempDir()
			_, err := pullFrom(t, o, modelAt(o.URL), dir)
			require.ErrorIs(t, err, ErrHash)
			require.ErrorContains(t, err, o.URL)
			require.NotContains(t, err.Error(), "\n")
			requireOnly(t, dir)
		})
	}
}

func TestPasswordsInURLsAreNotReported(t *testing.T) {
	m := models.Model{Name: "test", File: "test.onnx", SHA256: strings.Repeat("0", 64)}
	_, err := Model(t.Context(), m, t.TempDir(), Options{From: "https://user:secret@127.0.0.1:1/model"})
	require.ErrorContains(t, err, "127.0.0.1:1/model")
	require.NotContains(t, err.Error(), "secret")
}

func TestOtherURLsAreTriedInTurn(t *testing.T) {
	var seen []string
	o := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path)
		switch r.URL.Path {
		case "/absent":
			http.NotFound(w, r)
		case "/wrong":
			noRanges([]byte("something else"))(w, r)
		case "/away":
			http.Redirect(w, r, "http://192.0.2.1/model", http.StatusFound)
		case "/moved":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			whole(content)(w, r)
		}
	})
	m := modelAt("ftp://192.0.2.1/model", "http://192.0.2.1/model", "http://localhost.example/model",
		o.URL+"/absent", o.URL+"/wrong", o.URL+"/away", o.URL+"/moved", o.URL+"/never")
	path, err := pullFrom(t, o, m, t.TempDir())
	require.NoError(t, err)
	requireContent(t, path)
	require.Equal(t, []string{"/absent", "/wrong", "/away", "/moved", "/good"}, seen)

	m.URLs = []string{"http://192.0.2.1/model", o.URL + "/absent", o.URL + "/wrong", o.URL + "/away", o.URL + "/round"}
	dir := t.TempDir()
	_, err = pullFrom(t, o, m, dir)
	require.ErrorIs(t, err, ErrHash)
	for _, why := range []string{
		"http://192.0.2.1/model: only https", "/absent: unexpected status \"404 Not Found\"", "/away: redirected to http://192.0.2.1/model",
		"/round: more than 5 redirects", "use another file or URL with --from; the model must have SHA-256 " + m.SHA256,
	} {
		require.ErrorContains(t, err, why)
	}
	require.NotContains(t, err.Error(), "\n")
	requireOnly(t, dir)
}

func TestSecureServerCannotRedirectToThisHost(t *testing.T) {
	inner := serve(t, whole(content))
	outer := httptest.NewTLSServer(http.RedirectHandler(inner.URL, http.StatusFound))
	t.Cleanup(outer.Close)
	_, err := Model(t.Context(), modelAt(outer.URL), t.TempDir(), Options{Client: outer.Client()})
	require.ErrorContains(t, err, "only https URLs are allowed")
	require.Empty(t, inner.requests())
}

func TestPullStopsAtTheSizeOfTheModel(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"announced": noRanges(append(bytes.Clone(content), 1)),
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(content); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := serve(t, handler)
			dir := t.TempDir()
			_, err := pullFrom(t, o, modelAt(o.URL), dir)
			require.ErrorContains(t, err, "too large")
			requireOnly(t, dir)
		})
	}
}

func TestModelOfUnknownSizeIsBoundedToo(t *testing.T) {
	o := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(models.MaxBytes+1))
		_, _ = w.Write(content)
	})
	m := modelAt(o.URL)
	m.Size = 0
	_, err := pullFrom(t, o, m, t.TempDir())
	require.ErrorContains(t, err, "too large")

	o = serve(t, noRanges(content))
	m.URLs = []string{o.URL}
	dir := t.TempDir()
	write(t, dir, "test.onnx.part", make([]byte, len(content)+1))
	path, err := pullFrom(t, o, m, dir)
	require.NoError(t, err)
	requireContent(t, path)
}

// roundTrip is a client's transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// drip is a body that sends one byte each interval until its request ends.
type drip struct {
	ctx      context.Context
	interval time.Duration
	left     int
}

func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		<-d.ctx.Done()
		return 0, d.ctx.Err()
	}
	time.Sleep(d.interval)
	d.left--
	p[0] = 'x'
	return 1, d.ctx.Err()
}

func (d *drip) Close() error { return nil }

func TestRequestToASilentServerIsCancelled(t *testing.T) {
	for name, c := range map[string]struct {
		transport roundTrip
		want      time.Duration
	}{
		"before the header": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, StallTimeout},
		// Slow is not silent: three bytes at 20 s each, then nothing.
		"within the body": {func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: -1, Body: &drip{r.Context(), 20 * time.Second, 3}}, nil
		}, time.Minute + StallTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := Model(t.Context(), modelAt("https://192.0.2.1/"), dir, Options{Client: &http.Client{Transport: c.transport}})
				require.ErrorIs(t, err, errStalled)
				require.Equal(t, c.want, time.Since(start))
			})
		})
	}
}
