package pipeline

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
	"scrim/redact/yuv"
	"scrim/transport"
)

// shot is a received snapshot.
type shot struct {
	ipc.Snapshot
	im *image.YCbCr
}

func withShots(t *testing.T) (*rig, chan shot) {
	t.Helper()
	shots := make(chan shot, 100)
	return startWith(t, 0, func(p *Pipeline) {
		p.o.Snapshots = func(head ipc.Snapshot, data []byte) error {
			im, err := jpeg.Decode(bytes.NewReader(data))
			if err == nil {
				shots <- shot{head, im.(*image.YCbCr)}
			}
			return err
		}
	}), shots
}

// limited converts the luma of a JPEG to limited range.
func limited(v byte) int { return int(v)*219/255 + 16 }

// requireSame compares a snapshot with what the video showed; both are coded with
// loss.
func requireSame(t *testing.T, im *yuv.Image, s shot) {
	t.Helper()
	require.Equal(t, im.Bounds(), s.im.Rect)
	sum := 0
	for y := range im.Height {
		for x := range im.Width {
			d := int(im.Y[y*im.YStride+x]) - limited(s.im.Y[y*s.im.YStride+x])
			sum += max(d, -d)
		}
	}
	require.Less(t, sum/(im.Width*im.Height), 4, "mean difference of luma")
}

func TestSnapshotIsTheRedactedPicture(t *testing.T) {
	t.Parallel()
	r, shots := withShots(t)
	c := newCamera(t, width, height)
	r.live(c, 3, true)
	r.p.Snapshot()
	u := c.unit(false)
	u.Number = 4
	r.send(u)
	o, im := r.next()
	for o.State != transport.StateLive {
		o, im = r.next()
	}
	s := <-shots
	require.Equal(t, o.Captured, s.Captured, "it is the next picture")
	require.Equal(t, transport.StateLive, s.State)
	require.EqualValues(t, 4, o.Record.Unit)
	require.Equal(t, o.Record.Unit, s.Unit, "a proof that is due for the one is due for the other")
	requireSame(t, im, s)
	b := secretBox.Rect().Inset(4)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			require.Less(t, limited(s.im.Y[y*s.im.YStride+x]), 140, "the secret is visible at %d, %d", x, y)
		}
	}
	r.end()
}

func TestSnapshotOfACameraThatCannotBeShownIsTheSlate(t *testing.T) {
	t.Parallel()
	r, shots := withShots(t)
	r.live(newCamera(t, width, height), 2, true)
	r.p.Input("camera is away")
	r.slate("camera is away")
	r.p.Snapshot()
	s := <-shots
	require.Equal(t, transport.StateObscured, s.State)
	require.Equal(t, "camera is away", s.Reason)
	require.Zero(t, s.Unit)
	sum := 0
	for _, v := range s.im.Y {
		sum += int(v)
	}
	require.Less(t, sum/len(s.im.Y), 64, "as dark as a slate")
	r.end()
}

func TestSnapshotsAreFewHoweverManyAreAskedFor(t *testing.T) {
	t.Parallel()
	r, shots := withShots(t)
	c := newCamera(t, width, height)
	begun := time.Now()
	r.live(c, 1, true)
	for range 50 {
		r.p.Snapshot()
		r.live(c, 1, false)
	}
	r.end()
	require.LessOrEqual(t, len(shots), 1+int(time.Since(begun)/ipc.SnapshotInterval))
}
