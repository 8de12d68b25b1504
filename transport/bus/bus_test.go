package bus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

// pair is a publisher and a subscription that hear each other.
func pair(t *testing.T, pub, sub *Conn, keyframe func()) (*Publisher, *Subscription) {
	t.Helper()
	p, err := pub.Publisher(site, camera, keyframe)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	flush(t, pub)
	s, err := sub.Subscribe(site, camera, transport.MainRendition)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	flush(t, sub)
	return p, s
}

func embedded(t *testing.T) *Conn {
	t.Helper()
	return connect(t, Config{Server: startServer(t, ServerConfig{})})
}

func TestUnitArrivesAsItWasSent(t *testing.T) {
	c := embedded(t)
	p, s := pair(t, c, c, nil)
	live := unit(7, 1, true)
	slate := unit(7, 2, false)
	slate.State, slate.Reason, slate.Regions = transport.StateObscured, "camera does not answer", nil
	for _, u := range []*transport.RedactedUnit{live, slate} {
		require.NoError(t, p.Publish(u))
		assert.Equal(t, u, next(t, s))
	}
	assert.Equal(t, Counts{Units: 2, Requests: 1}, s.Counts())
}

func TestUnitOver1MiBIsSplitAndPutTogether(t *testing.T) {
	c := embedded(t)
	p, s := pair(t, c, c, nil)
	for i, size := range []int{MaxPartBytes, MaxPartBytes + 1, transport.MaxUnitBytes} {
		u := unit(7, uint64(i+1), true)
		u.Data = bytes.Repeat([]byte{byte(i + 1)}, size)
		u.Data[size-1] = 0xff
		require.NoError(t, p.Publish(u))
		got := next(t, s)
		assert.Equal(t, u.Seq, got.Seq)
		assert.True(t, bytes.Equal(u.Data, got.Data), "%d bytes", size)
	}
	over := unit(7, 9, true)
	over.Data = make([]byte, transport.MaxUnitBytes+1)
	assert.ErrorContains(t, p.Publish(over), "not within")
}

func TestPublisherRefusesAnotherCamerasUnit(t *testing.T) {
	c := embedded(t)
	p, _ := pair(t, c, c, nil)
	u := unit(1, 1, true)
	u.Camera = "lobby"
	assert.ErrorContains(t, p.Publish(u), "lobby")
	assert.Error(t, p.PublishStatus(transport.Status{Site: site, Camera: "lobby"}))
	assert.Error(t, p.PublishEvent(transport.Event{Site: "other", Camera: camera}))
}

func TestUnitWhoseHeaderNamesAnotherCameraIsNotBelieved(t *testing.T) {
	c := embedded(t)
	p, s := pair(t, c, c, nil)
	// What a confused or hostile worker could put on this camera's subject.
	wrong := nats.NewMsg(s.at.Subject())
	lobby := unit(7, 1, true)
	lobby.Camera = "lobby"
	writeHeader(wrong.Header, lobby, 1, 1)
	wrong.Data = lobby.Data
	require.NoError(t, c.nc.PublishMsg(wrong))
	require.NoError(t, p.Publish(unit(7, 1, true)))
	assert.Equal(t, camera, next(t, s).Camera)
	assert.EqualValues(t, 1, s.Counts().Invalid)
}

func TestReaderBeginsAndGoesOnAtAKeyFrame(t *testing.T) {
	c := embedded(t)
	p, s := pair(t, c, c, nil)
	send := func(epoch, seq uint64, key bool) { require.NoError(t, p.Publish(unit(epoch, seq, key))) }
	send(5, 10, false) // joined in the middle
	send(5, 11, true)
	send(5, 12, false)
	send(5, 14, false) // 13 is missing
	send(5, 15, true)
	send(6, 2, false) // a new encoder, its first unit missing
	send(6, 3, true)
	send(5, 16, true) // the replaced worker still sends
	send(6, 3, true)  // twice
	send(6, 4, false)
	var got [][2]uint64
	for range 5 {
		u := next(t, s)
		got = append(got, [2]uint64{u.Epoch, u.Seq})
	}
	assert.Equal(t, [][2]uint64{{5, 11}, {5, 12}, {5, 15}, {6, 3}, {6, 4}}, got)
	n := s.Counts()
	n.Requests = 0 // one or two, by the clock
	assert.Equal(t, Counts{Units: 5, Lost: 2, Skipped: 3, Stale: 2}, n)
}

func TestMissingPartIsALoss(t *testing.T) {
	c := embedded(t)
	p, s := pair(t, c, c, nil)
	require.NoError(t, p.Publish(unit(5, 1, true)))
	big := unit(5, 2, false)
	m := nats.NewMsg(s.at.Subject())
	writeHeader(m.Header, big, 1, 2)
	m.Data = big.Data
	require.NoError(t, c.nc.PublishMsg(m)) // its second part never comes
	require.NoError(t, p.Publish(unit(5, 3, false)))
	require.NoError(t, p.Publish(unit(5, 4, true)))
	assert.EqualValues(t, 1, next(t, s).Seq)
	assert.EqualValues(t, 4, next(t, s).Seq)
	assert.EqualValues(t, 1, s.Counts().Lost)
}

func TestSlowReaderLosesUnitsAndGoesOnAtAFreshKeyFrame(t *testing.T) {
	srv := startServer(t, ServerConfig{})
	pub, sub := connect(t, Config{Server: srv}), connect(t, Config{Server: srv})
	asked := make(chan struct{}, 10)
	p, s := pair(t, pub, sub, func() { asked <- struct{}{} })
	require.NoError(t, p.Publish(unit(1, 1, true)))
	next(t, s)
	<-asked // on subscribing
	const sent = 10 * maxPendingMessages
	for i := range sent {
		require.NoError(t, p.Publish(unit(1, uint64(i)+2, false)))
	}
	flush(t, pub)
	flush(t, sub) // everything is in the reader's queue now
	waiting, size, err := s.sub.Pending()
	require.NoError(t, err)
	assert.LessOrEqual(t, waiting, maxPendingMessages)
	assert.LessOrEqual(t, size, maxPendingVideo)

	type result struct {
		u   *transport.RedactedUnit
		err error
	}
	got := make(chan result, 1)
	ctx := transporttest.Context(t)
	go func() {
		u, err := s.Next(ctx)
		got <- result{u, err}
	}()
	// A unit that cannot be decoded has the reader ask, once the rate limit allows it.
	seq := uint64(sent + 2)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; seq++ {
		select {
		case <-asked:
			waiting = false
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the reader did not ask for a key frame")
		}
		require.NoError(t, p.Publish(unit(1, seq, !waiting)))
	}
	r := <-got
	require.NoError(t, r.err)
	assert.True(t, r.u.Key)
	assert.Equal(t, seq-1, r.u.Seq, "nothing of the backlog is handed out")
	n := s.Counts()
	assert.Positive(t, n.Overruns)
	assert.EqualValues(t, 2, n.Units)
	assert.Positive(t, n.Lost)
}

func TestStaleFramesAreNotReplayedAfterTheServerRestarts(t *testing.T) {
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0"})
	address := srv.Addr().String()
	pub, sub := connect(t, Config{URL: srv.URL()}), connect(t, Config{URL: srv.URL()})
	asked := make(chan struct{}, 10)
	p, s := pair(t, pub, sub, func() { asked <- struct{}{} })
	require.NoError(t, p.Publish(unit(1, 1, true)))
	next(t, s)

	srv.Close()
	gone := nc(t, pub)
	require.Eventually(t, func() bool { return !gone.IsConnected() && !sub.nc.IsConnected() }, 10*time.Second, time.Millisecond)
	const down = 200
	for i := range down {
		assert.ErrorIs(t, p.Publish(unit(1, uint64(i)+2, i%30 == 0)), ErrDisconnected)
	}
	startServer(t, ServerConfig{Listen: address})
	require.Eventually(t, func() bool { return pub.Connected() && sub.Connected() }, 10*time.Second, time.Millisecond)
	flush(t, sub)
	require.NoError(t, p.Publish(unit(1, down+2, false)))
	require.NoError(t, p.Publish(unit(1, down+3, true)))
	u := next(t, s)
	assert.EqualValues(t, down+3, u.Seq, "the first after the restart is a fresh key frame")
	n := s.Counts()
	assert.EqualValues(t, down, n.Lost)
	assert.EqualValues(t, 1, n.Skipped)
	// Control works again, too.
	<-asked
	require.NoError(t, sub.RequestKeyframe(site, camera))
	select {
	case <-asked:
	case <-transporttest.Context(t).Done():
		t.Fatal("a request after the restart did not arrive")
	}
}

func nc(t *testing.T, c *Conn) *nats.Conn {
	t.Helper()
	return c.nc
}

func TestManyRequestsBecomeOneKeyFrameASecond(t *testing.T) {
	c := embedded(t)
	var calls atomic.Int32
	p, err := c.Publisher(site, camera, func() { calls.Add(1) })
	require.NoError(t, err)
	flush(t, c)
	for range 100 {
		require.NoError(t, c.RequestKeyframe(site, camera))
	}
	flush(t, c)
	require.Eventually(t, func() bool { return calls.Load() == 1 }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return calls.Load() == 2 }, 10*time.Second, time.Millisecond) // the trailing one
	p.Close()
	require.NoError(t, c.RequestKeyframe(site, camera))
	flush(t, c)
	assert.EqualValues(t, 2, calls.Load())
}

func TestWatcherHearsAllCamerasOfItsSiteOnly(t *testing.T) {
	c := embedded(t)
	statuses, events := make(chan transport.Status, 9), make(chan transport.Event, 9)
	ws, err := c.WatchStatus(site, func(s transport.Status) { statuses <- s })
	require.NoError(t, err)
	we, err := c.WatchEvents(site, func(e transport.Event) { events <- e })
	require.NoError(t, err)
	flush(t, c)
	for _, at := range [][2]string{{"elsewhere", "gate"}, {site, "gate"}, {site, "lobby"}} {
		p, err := c.Publisher(at[0], at[1], nil)
		require.NoError(t, err)
		require.NoError(t, p.PublishStatus(transport.Status{Site: at[0], Camera: at[1], State: transport.StateLive, FPS: 25}))
		require.NoError(t, p.PublishEvent(transport.Event{Site: at[0], Camera: at[1], State: transport.StateLive}))
	}
	// Not JSON, and a status on another camera's subject, are dropped.
	subject := Address{Site: site, Camera: "gate", Kind: KindStatus}.Subject()
	require.NoError(t, c.nc.Publish(subject, []byte("{")))
	require.NoError(t, c.nc.Publish(subject, []byte(`{"site":"plant-1","name":"lobby","state":"live"}`)))
	require.NoError(t, c.nc.Publish(subject, []byte(`{"site":"plant-1","name":"gate","state":"failed","reason":"last"}`)))
	for _, want := range []string{"gate", "lobby"} {
		got := <-statuses
		assert.Equal(t, want, got.Camera)
		assert.InDelta(t, 25, got.FPS, 0)
		assert.Equal(t, want, (<-events).Camera)
	}
	assert.Equal(t, "last", (<-statuses).Reason)
	ws.Close()
	we.Close()
	require.NoError(t, c.nc.Publish(subject, []byte(`{"site":"plant-1","name":"gate","state":"live"}`)))
	flush(t, c)
	assert.Empty(t, statuses)
}

func TestPortInUseIsOneClearError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, err = StartServer(ServerConfig{Listen: l.Addr().String(), Log: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	assert.Contains(t, err.Error(), l.Addr().String())
	assert.NotContains(t, err.Error(), "\n")
}

func TestServerOpenToOthersNeedsALogin(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.org:0"} {
		_, err := StartServer(ServerConfig{Listen: listen, Log: slog.New(slog.DiscardHandler)})
		assert.ErrorContains(t, err, "set users or a token", listen)
	}
	startServer(t, ServerConfig{Listen: "0.0.0.0:0", Token: "t0ken"})
}

func TestBadServerConfigIsRefused(t *testing.T) {
	for name, c := range map[string]ServerConfig{
		"no port":         {Listen: "127.0.0.1"},
		"bad port":        {Listen: "127.0.0.1:http"},
		"both logins":     {Users: []User{{Name: "a", Password: "b"}}, Token: "c"},
		"no password":     {Users: []User{{Name: "a"}}},
		"twice":           {Users: []User{{Name: "a", Password: "b"}, {Name: "a", Password: "c"}}},
		"reserved":        {Users: []User{{Name: "scrim-internal", Password: "b"}}},
		"payload too low": {MaxPayload: 1000},
	} {
		_, err := StartServer(c)
		assert.Error(t, err, name)
	}
}

func TestNoErrorShowsASecret(t *testing.T) {
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0", Token: "right"})
	host := srv.Addr().String()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := free.Addr().String()
	require.NoError(t, free.Close())
	for name, c := range map[string]Config{
		"wrong login":     {URL: "nats://bob:s3cret@" + host},
		"wrong token":     {URL: "nats://s3cret@" + host},
		"nobody there":    {URL: "nats://bob:s3cret@" + nobody},
		"not a URL":       {URL: "nats://bob:s3cret@ho st"},
		"other scheme":    {URL: "http://bob:s3cret@" + host},
		"second URL":      {URL: "nats://" + host + ",nats://bob:s3cret@" + host},
		"two ways":        {URL: "nats://bob:s3cret@" + host, Token: "s3cret"},
		"path":            {URL: "nats://bob:s3cret@" + host + "/x"},
		"no creds file":   {URL: "nats://" + host, CredsFile: "/nowhere/file.creds"},
		"password, token": {URL: "nats://" + host, User: "bob", Password: "s3cret", Token: "s3cret"},
	} {
		_, err := Connect(t.Context(), c)
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "s3cret", name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	// A server that accepts and never says a word.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	accepted := make(chan struct{})
	go func() {
		defer close(accepted)
		conn, err := l.Accept()
		if err == nil {
			cancel()
			_, _ = conn.Read(make([]byte, 1)) // until the other side closes
			_ = conn.Close()
		}
	}()
	_, err = Connect(ctx, Config{URL: "nats://" + l.Addr().String(), Log: slog.New(slog.DiscardHandler)})
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, l.Close())
	<-accepted
}

// roles starts a server with a worker and a gateway of one site.
func roles(t *testing.T) (srv *Server, worker, gateway *Conn) {
	t.Helper()
	w, err := WorkerPermissions(site)
	require.NoError(t, err)
	g, err := GatewayPermissions(site)
	require.NoError(t, err)
	srv = startServer(t, ServerConfig{Listen: "127.0.0.1:0", Users: []User{
		{Name: "worker", Password: "w", Permissions: w},
		{Name: "gateway", Password: "g", Permissions: g},
	}})
	return srv, connect(t, Config{URL: srv.URL(), User: "worker", Password: "w"}),
		connect(t, Config{URL: strings.Replace(srv.URL(), "nats://", "nats://gateway:g@", 1)})
}

func TestRolesCanDoTheirWork(t *testing.T) {
	srv, worker, gateway := roles(t)
	asked := make(chan struct{}, 9)
	statuses, events := make(chan transport.Status, 1), make(chan transport.Event, 1)
	_, err := gateway.WatchStatus(site, func(s transport.Status) { statuses <- s })
	require.NoError(t, err)
	_, err = gateway.WatchEvents(site, func(e transport.Event) { events <- e })
	require.NoError(t, err)
	p, s := pair(t, worker, gateway, func() { asked <- struct{}{} })
	require.NoError(t, p.Publish(unit(1, 1, true)))
	require.NoError(t, p.PublishStatus(transport.Status{Site: site, Camera: camera, State: transport.StateLive}))
	require.NoError(t, p.PublishEvent(transport.Event{Site: site, Camera: camera, State: transport.StateLive}))
	next(t, s)
	<-asked
	<-statuses
	<-events
	assert.NoError(t, worker.Err())
	assert.NoError(t, gateway.Err())
	// The process itself does not need a login.
	flush(t, connect(t, Config{Server: srv}))
}

func TestWhatARoleMayNotDoEndsItsConnection(t *testing.T) {
	for name, do := range map[string]func(worker, gateway *Conn) (*Conn, error){
		"worker publishes another site's video": func(w, _ *Conn) (*Conn, error) {
			p, err := w.Publisher("other", camera, nil)
			if err != nil {
				return w, err
			}
			return w, p.Publish(unit(1, 1, true))
		},
		"worker reads video": func(w, _ *Conn) (*Conn, error) {
			_, err := w.nc.SubscribeSync(prefix + site + ".*.video.*")
			return w, err
		},
		"gateway publishes video": func(_, g *Conn) (*Conn, error) {
			p, err := g.Publisher(site, camera, nil)
			if err != nil {
				return g, err
			}
			return g, p.Publish(unit(1, 1, true))
		},
		"gateway publishes a status": func(_, g *Conn) (*Conn, error) {
			p, err := g.Publisher(site, camera, nil)
			if err != nil {
				return g, err
			}
			return g, p.PublishStatus(transport.Status{Site: site, Camera: camera, State: transport.StateLive})
		},
		"gateway reads another site": func(_, g *Conn) (*Conn, error) {
			_, err := g.WatchStatus("other", func(transport.Status) {})
			return g, err
		},
		"gateway hears requests": func(_, g *Conn) (*Conn, error) {
			_, err := g.Publisher(site, camera, func() {})
			return g, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, worker, gateway := roles(t)
			c, err := do(worker, gateway)
			require.NoError(t, err, "the refusal comes asynchronously") // the trap
			select {
			case <-c.Done():
			case <-transporttest.Context(t).Done():
				t.Fatal("the connection lives on")
			}
			require.ErrorIs(t, c.Err(), ErrPermission)
			err = c.RequestKeyframe(site, camera)
			assert.True(t, errors.Is(err, ErrPermission), "%v", err)
		})
	}
}

func TestStrangerCannotUseTheProcessesOwnLoginOverTCP(t *testing.T) {
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0", Users: []User{{Name: "a", Password: "b"}}})
	_, err := Connect(t.Context(), Config{URL: srv.URL(), User: srv.user, Password: srv.password, Log: slog.New(slog.DiscardHandler)})
	assert.ErrorIs(t, err, nats.ErrAuthorization)
	_, err = Connect(t.Context(), Config{URL: srv.URL(), Log: slog.New(slog.DiscardHandler)})
	assert.ErrorIs(t, err, nats.ErrAuthorization)
}

func TestEmptyPermissionsDenyEverything(t *testing.T) {
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0", Users: []User{{Name: "a", Password: "b", Permissions: &Permissions{}}}})
	c := connect(t, Config{URL: srv.URL(), User: "a", Password: "b"})
	require.NoError(t, c.RequestKeyframe(site, camera))
	<-c.Done()
	assert.ErrorIs(t, c.Err(), ErrPermission)
}

func TestNextEndsWithContextSubscriptionAndConnection(t *testing.T) {
	c := embedded(t)
	_, s := pair(t, c, c, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Next(ctx)
	require.ErrorIs(t, err, context.Canceled)
	ended := make(chan error, 1)
	go func() {
		_, err := s.Next(t.Context())
		ended <- err
	}()
	s.Close()
	require.ErrorIs(t, <-ended, ErrClosed)
	c.Close()
	_, err = s.Next(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	require.NoError(t, c.Err(), "closing is not a failure")
	assert.ErrorIs(t, c.RequestKeyframe(site, camera), ErrClosed)
}

// An operator cannot hash these passwords: no file holds them.
func TestServerWithUsersLogsNoWarning(t *testing.T) {
	var log strings.Builder
	warnings := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv, err := StartServer(ServerConfig{Listen: "127.0.0.1:0", Users: []User{{Name: "plant", Password: "secret"}}, Log: warnings})
	require.NoError(t, err)
	srv.Close()
	require.Empty(t, log.String())
}
