package e2e

import (
	"cmp"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
	"scrim/pipeline/probe"
	"scrim/pipeline/simcam"
	"scrim/transport/rtsp"
	"scrim/transport/tlstrust"
)

// startTLSProxy forwards TLS connections to a camera's RTSP port. It returns the
// rtsps:// URL of the camera, and the certificate's fingerprint and PEM form.
func startTLSProxy(t *testing.T, cam *simcam.Camera) (url, fingerprint, authority string) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	address, path, _ := strings.Cut(strings.TrimPrefix(cam.URL(), "rtsp://"), "/")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", web.TLS)
	require.NoError(t, err)
	var wg sync.WaitGroup
	forward := func(to, from net.Conn) {
		defer wg.Done()
		_, _ = io.Copy(to, from)
		_, _ = to.Close(), from.Close()
	}
	wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", address)
			if err != nil {
				_ = client.Close()
				return
			}
			wg.Add(2)
			go forward(server, client)
			go forward(client, server)
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	return "rtsps://" + ln.Addr().String() + "/" + path, tlstrust.Fingerprint(web.Certificate()), authority
}

// The configuration that `scrim probe` suggests is one that Scrim accepts, and it
// describes the camera that was probed.
func TestSuggestedConfigurationIsAccepted(t *testing.T) {
	const password = "hunter2:/@"
	with := func(change func(*probe.Options)) func(*testing.T, *simcam.Camera, *probe.Options) {
		return func(_ *testing.T, _ *simcam.Camera, o *probe.Options) { change(o) }
	}
	overTLS := func(pin, authority bool) func(*testing.T, *simcam.Camera, *probe.Options) {
		return func(t *testing.T, cam *simcam.Camera, o *probe.Options) {
			t.Helper()
			url, fingerprint, pem := startTLSProxy(t, cam)
			o.Target = url
			if pin {
				o.Trust.Fingerprint = fingerprint
			}
			if authority {
				o.Trust.CA, o.CAFile = pem, writeFile(t, "authorities: of #1.pem", pem)
			}
		}
	}
	for name, c := range map[string]struct {
		camera     simcam.Options
		change     func(*testing.T, *simcam.Camera, *probe.Options)
		name       config.Name // "" for that of the address
		udp, basic bool
	}{
		"no login":   {},
		"named":      {change: with(func(o *probe.Options) { o.Name = "back_door-2" }), name: "back_door-2"},
		"host alone": {change: with(func(o *probe.Options) { o.Target = hostOf(o.Target) })},
		"host name":  {change: with(func(o *probe.Options) { o.Target = strings.Replace(o.Target, "127.0.0.1", "localhost", 1) }), name: "localhost"},
		"TCP":        {change: with(func(o *probe.Options) { o.Transport = rtsp.TransportTCP })},
		"UDP":        {camera: simcam.Options{UDPPort: evenPort(t)}, change: with(func(o *probe.Options) { o.Transport = rtsp.TransportUDP }), udp: true},
		"Basic":      {change: with(func(o *probe.Options) { o.AllowBasic = true }), basic: true},
		"login":      {camera: simcam.Options{User: "viewer"}},
		"login in URL": {camera: simcam.Options{User: "viewer"}, change: with(func(o *probe.Options) {
			o.Target, o.User, o.Password = strings.Replace(o.Target, "rtsp://", "rtsp://viewer:hunter2%3A%2F%40@", 1), "", ""
		})},
		"user like a truth value":  {camera: simcam.Options{User: "yes"}},
		"user like null":           {camera: simcam.Options{User: "Null"}},
		"user like a number":       {camera: simcam.Options{User: "0123"}},
		"user with YAML's marks":   {camera: simcam.Options{User: "- a: #b's*&!|>%@{[`"}},
		"user beyond ASCII":        {camera: simcam.Options{User: "Jürgen 警備"}},
		"URL with a query":         {change: with(func(o *probe.Options) { o.Target += "?channel=1&subtype=0" })},
		"URL with a secret":        {change: with(func(o *probe.Options) { o.Target += "?channel=1&token=hunter2" })},
		"pinned certificate":       {change: overTLS(true, false)},
		"authority":                {change: overTLS(false, true)},
		"pin and authority":        {change: overTLS(true, true)},
		"pinned certificate, user": {camera: simcam.Options{User: "viewer"}, change: overTLS(true, false)},
	} {
		t.Run(name, func(t *testing.T) {
			o := probe.Options{For: 500 * time.Millisecond, ONVIF: probe.NoONVIF}
			if c.camera.User != "" {
				c.camera.Password, o.User, o.Password = password, c.camera.User, password
			}
			cam := smallCamera(t, c.camera)
			o.Target = cam.URL()
			if c.change != nil {
				c.change(t, cam, &o)
			}
			r, err := probe.Run(t.Context(), o)
			require.NoError(t, err)
			require.False(t, r.Failed(), "%+v", r.Problems)
			require.NotContains(t, r.YAML, "hunter2")
			file := filepath.Join(t.TempDir(), "suggested.yaml")
			require.NoError(t, os.WriteFile(file, []byte(r.YAML), 0o600))
			cfg, _, err := config.Source{File: file}.Inspect(0)
			require.NoError(t, err, r.YAML)
			require.Len(t, cfg.Cameras, 1)
			got := &cfg.Cameras[0]
			require.Equal(t, cmp.Or(c.name, "camera-127-0-0-1"), got.Name)
			require.Equal(t, r.URL, got.URL.String())
			require.Equal(t, c.camera.User, got.User)
			require.Equal(t, c.camera.User != "", got.Password.IsSet())
			require.Equal(t, c.basic, got.AllowBasic)
			require.Equal(t, c.udp, got.Transport == config.TransportUDP)
			require.Equal(t, o.Trust.Fingerprint, string(got.TLS.Fingerprint))
			if o.Trust.Fingerprint == "" {
				require.Equal(t, o.CAFile, got.TLS.CA.String())
			}
		})
	}
}

// hostOf returns HOST:PORT of a URL.
func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "rtsp://"), "/")
	return host
}
