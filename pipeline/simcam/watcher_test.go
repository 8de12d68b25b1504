package simcam

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/bitstream"
	"scrim/pipeline/decode"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/redact/yuv"
	"scrim/transport"
	"scrim/transport/rtsp"
)

// shot is a unit of the camera with its picture.
type shot struct {
	unit  transport.CameraUnit
	stamp stamptest.Stamp // zero when there is none
	im    *yuv.Image
}

// watcher is a client that decodes what it gets.
type watcher struct {
	t      *testing.T
	units  chan transport.CameraUnit
	failed chan error
	ctx    context.Context
	cancel context.CancelFunc
	dec    *decode.Decoder
	id     int64
	whole  bool // nothing is missing since a key frame
	// unit is the last that came, whether it has a picture or not.
	unit transport.CameraUnit
}

func watchCamera(t *testing.T, url string, change func(*rtsp.Config)) *watcher {
	t.Helper()
	config := rtsp.Config{Camera: "sim", URL: url, Log: slog.New(slog.DiscardHandler), StallTimeout: waiting}
	if change != nil {
		change(&config)
	}
	client, err := rtsp.NewClient(config)
	require.NoError(t, err)
	w := &watcher{t: t, units: make(chan transport.CameraUnit, 256), failed: make(chan error, 1)}
	w.ctx, w.cancel = context.WithTimeout(t.Context(), waiting)
	w.dec, err = decode.New(decode.Options{})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.failed <- client.Run(w.ctx, func(u transport.CameraUnit) {
			select {
			case w.units <- u:
			case <-w.ctx.Done():
			}
		})
	}()
	stop := sync.OnceFunc(func() {
		w.cancel()
		<-ended
		w.dec.Close()
	})
	t.Cleanup(stop)
	return w
}

// nextUnit waits for a unit.
func (w *watcher) nextUnit() transport.CameraUnit {
	w.t.Helper()
	select {
	case w.unit = <-w.units:
		return w.unit
	case err := <-w.failed:
		require.NoError(w.t, err, "the connection failed")
		w.t.FailNow()
	case <-w.ctx.Done():
		w.t.Fatal("no unit comes")
	}
	return w.unit
}

// next waits for a unit that has a picture. After a loss it skips what cannot
// be whole, up to a key frame.
func (w *watcher) next() shot {
	w.t.Helper()
	for {
		u := w.nextUnit()
		info, err := bitstream.Inspect(transport.H264, u.Data)
		require.NoError(w.t, err)
		if u.Gap.Kind != transport.GapNone {
			w.whole = false
		}
		if w.whole = w.whole || info.Key && (u.Gap.Kind == transport.GapNone || u.Gap.Intact); !w.whole {
			continue
		}
		s := shot{unit: u}
		w.id++
		require.NoError(w.t, w.dec.Decode(info.Data, w.id, func(p decode.Picture) error {
			require.Equal(w.t, w.id, p.ID)
			s.im = p.Image
			return nil
		}))
		if s.im == nil {
			continue
		}
		if s.stamp, err = stamptest.Read(s.im); err != nil {
			require.ErrorIs(w.t, err, stamptest.ErrNone)
		}
		return s
	}
}

// afterPictures waits until the camera has drawn n more pictures.
func afterPictures(t *testing.T, c *Camera, n uint64) {
	t.Helper()
	from := c.Frames() + n
	require.Eventually(t, func() bool { return c.Frames() >= from }, waiting, time.Millisecond)
}
