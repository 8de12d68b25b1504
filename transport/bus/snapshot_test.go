package bus

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

var picture = &transport.Snapshot{
	Camera: camera, Captured: time.Unix(1700000000, 5), Width: 640, Height: 360, State: transport.StateObscured, Reason: "starting",
	JPEG: []byte{0xff, 0xd8, 1, 2, 0xff, 0xd9},
}

// snapshotRig is a worker and a gateway, each with no more than it may do.
func snapshotRig(t *testing.T, take func(context.Context) (*transport.Snapshot, error)) (worker, gateway *Conn) {
	t.Helper()
	w, err := WorkerPermissions(site)
	require.NoError(t, err)
	g, err := GatewayPermissions(site)
	require.NoError(t, err)
	s := startServer(t, ServerConfig{Listen: "127.0.0.1:0", Users: []User{
		{Name: "worker", Password: "w", Permissions: w}, {Name: "gateway", Password: "g", Permissions: g},
	}})
	worker = connect(t, Config{URL: s.URL(), User: "worker", Password: "w"})
	gateway = connect(t, Config{URL: s.URL(), User: "gateway", Password: "g"})
	p, err := worker.Publisher(site, camera, nil)
	require.NoError(t, err)
	require.NoError(t, p.ServeSnapshots(take))
	t.Cleanup(p.Close)
	flush(t, worker)
	return worker, gateway
}

func TestSnapshotComesBackAsItWas(t *testing.T) {
	_, gateway := snapshotRig(t, func(context.Context) (*transport.Snapshot, error) { return picture, nil })
	got, err := gateway.Snapshot(transporttest.Context(t), site, camera)
	require.NoError(t, err)
	require.Equal(t, picture, got)
	_, err = gateway.Snapshot(transporttest.Context(t), site, "absent")
	require.ErrorIs(t, err, ErrNoSnapshot, "nobody answers for another camera")
	require.NoError(t, gateway.Err(), "nothing was done that is not allowed")
}

func TestSnapshotThatCannotBeMadeSaysWhy(t *testing.T) {
	_, gateway := snapshotRig(t, func(context.Context) (*transport.Snapshot, error) { return nil, errors.New("no picture\nyet") })
	_, err := gateway.Snapshot(transporttest.Context(t), site, camera)
	require.ErrorIs(t, err, ErrNoSnapshot)
	require.ErrorContains(t, err, "no picture yet")
}

func TestWhoAsksAtTheSameTimeGetsTheSameSnapshot(t *testing.T) {
	var taken atomic.Int32
	begun, goOn := make(chan struct{}, 10), make(chan struct{})
	_, gateway := snapshotRig(t, func(context.Context) (*transport.Snapshot, error) {
		taken.Add(1)
		begun <- struct{}{}
		<-goOn
		return picture, nil
	})
	answers := make(chan error, 10)
	for range 10 {
		go func() {
			_, err := gateway.Snapshot(transporttest.Context(t), site, camera)
			answers <- err
		}()
	}
	<-begun
	close(goOn)
	for range 10 {
		require.NoError(t, <-answers)
	}
	require.LessOrEqual(t, taken.Load(), int32(10))
}

// A gateway that could choose where the answer goes could have a worker publish
// as another camera's video.
func TestSnapshotIsSentNowhereElse(t *testing.T) {
	var taken atomic.Int32
	worker, gateway := snapshotRig(t, func(context.Context) (*transport.Snapshot, error) {
		taken.Add(1)
		return picture, nil
	})
	ask := Address{Site: site, Camera: camera, Kind: KindSnapshot}.Subject()
	for _, reply := range []string{
		"", "_INBOX.x", prefix + site + ".other.video.main", prefix + site + ".other.snapshot.ABCDEFGHIJ",
		prefix + site + "." + camera + ".video.main", prefix + site + "." + camera + ".snapshot.*",
	} {
		require.NoError(t, gateway.nc.PublishMsg(&nats.Msg{Subject: ask, Reply: reply}))
	}
	_, err := gateway.Snapshot(transporttest.Context(t), site, camera)
	require.NoError(t, err)
	require.EqualValues(t, 1, taken.Load(), "the last one only")
	require.NoError(t, worker.Err())
}

func FuzzSnapshot(f *testing.F) {
	f.Add(camera, "5", "640x360", "live", "", []byte{0xff, 0xd8, 0xff, 0xd9})
	f.Add(camera, "-1", "0x0", "failed", "why", []byte{})
	f.Fuzz(func(t *testing.T, name, captured, size, state, failure string, data []byte) {
		s, err := parseSnapshot(camera, &nats.Msg{Data: data, Header: nats.Header{
			hdrCamera: {name}, hdrCaptured: {captured}, hdrSize: {size}, hdrState: {state}, hdrError: {failure},
		}})
		if (s == nil) != (err != nil) {
			t.Fatal("a snapshot or an error")
		}
		if s != nil && (s.Width < 1 || s.Height < 1 || s.Width > transport.MaxSide || len(s.JPEG) > transport.MaxSnapshotBytes) {
			t.Fatalf("%+v", s)
		}
	})
}
