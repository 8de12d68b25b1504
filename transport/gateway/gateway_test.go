package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/transport"
	"scrim/transport/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func TestGatewayServesUntilItsContextEndsAndWaits(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	server, err := bus.StartServer(bus.ServerConfig{Log: log})
	require.NoError(t, err)
	defer server.Close()
	for name, end := range map[string]func(cancel context.CancelFunc, conn *bus.Conn){
		"context":    func(cancel context.CancelFunc, _ *bus.Conn) { cancel() },
		"connection": func(_ context.CancelFunc, conn *bus.Conn) { conn.Close() },
	} {
		conn, err := bus.Connect(t.Context(), bus.Config{Server: server, Log: log})
		require.NoError(t, err)
		defer conn.Close()
		o := Options{Site: "test", Conn: conn, Listener: listen(t), RTSP: &RTSPOptions{Listener: listen(t), ONVIF: listen(t)}, Log: log}
		g, err := New(o)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- g.Run(ctx) }()
		client := &http.Client{}
		for _, url := range []string{g.URL(), "http://" + o.RTSP.ONVIF.Addr().String()} {
			r, err := client.Get(url)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, r.Body)
			require.NoError(t, r.Body.Close())
		}
		client.CloseIdleConnections()
		c, err := net.Dial("tcp", o.RTSP.Listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, c.Close())
		end(cancel, conn)
		err = <-done
		if name == "context" {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, bus.ErrClosed)
		}
		for _, ln := range []net.Listener{o.Listener, o.RTSP.Listener, o.RTSP.ONVIF} {
			_, err := ln.Accept()
			require.ErrorIs(t, err, net.ErrClosed, name)
		}
	}
	_, err = New(Options{})
	require.Error(t, err)
}

func TestManyViewersAreOneRequestForASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSnapshots()
		var requests atomic.Int32
		answer := func(ctx context.Context) (*transport.Snapshot, error) {
			requests.Add(1)
			time.Sleep(100 * time.Millisecond)
			return &transport.Snapshot{}, ctx.Err()
		}
		gone, leave := context.WithCancel(t.Context())
		go func() {
			_, err := s.get(gone, "door", answer)
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}()
		synctest.Wait()
		leave()
		for range 3 { // the first to ask has left
			got, err := s.get(t.Context(), "door", answer)
			require.NoError(t, err)
			require.NotNil(t, got)
		}
		require.EqualValues(t, 1, requests.Load())
		time.Sleep(snapshotAge)
		_, err := s.get(t.Context(), "door", answer)
		require.NoError(t, err)
		require.EqualValues(t, 2, requests.Load())

		go func() {
			_, _ = s.get(t.Context(), "yard", func(ctx context.Context) (*transport.Snapshot, error) { <-ctx.Done(); return nil, ctx.Err() })
		}()
		synctest.Wait()
		s.close()
		_, err = s.get(t.Context(), "roof", answer)
		require.ErrorIs(t, err, context.Canceled)
	})
}
