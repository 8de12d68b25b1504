package e2e

import (
	"context"
	"fmt"
	"image"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/decode"
	"scrim/pipeline/scene"
	"scrim/pipeline/scene/stamp"
	"scrim/pipeline/scene/stamp/stamptest"
	"scrim/transport"
	"scrim/transport/bus"
)

// witness decodes everything that is published of a drawn camera. The stamp in each
// picture identifies its faces.
type witness struct {
	t   *testing.T
	dec *decode.Decoder
	id  int64

	mu     sync.Mutex
	scenes map[[2]int]*scene.Scene
	units  []published
	more   chan struct{} // closed with the next unit
	// faces counts those that must be covered, exposed lists those that were not. hidden
	// counts pictures whose stamp is under a region. entering counts faces that were not
	// covered while partly outside the picture: without look-ahead, a face is only found
	// when enough of it is visible.
	faces, hidden     int
	exposed, entering []string
}

// published is a published unit.
type published struct {
	state    transport.State
	size     [2]int
	captured time.Time // by the stamp; zero if it cannot be read
	arrived  time.Time
}

// newWitness watches until the test ends.
func newWitness(t *testing.T, conn *bus.Conn, camera string, drawn ...scene.Options) *witness {
	t.Helper()
	w := &witness{t: t, scenes: make(map[[2]int]*scene.Scene), more: make(chan struct{})}
	for _, o := range drawn {
		s, err := scene.New(o)
		require.NoError(t, err)
		w.scenes[[2]int{o.Width, o.Height}] = s
	}
	sub, err := conn.Subscribe("test", camera, transport.MainRendition)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for epoch := uint64(0); ; {
			u, err := sub.Next(ctx)
			if err != nil {
				return
			}
			if w.dec == nil || u.Epoch != epoch {
				epoch = u.Epoch
				w.renew()
			}
			w.unit(u)
		}
	}()
	t.Cleanup(func() {
		cancel()
		sub.Close()
		<-done
		if w.dec != nil {
			w.dec.Close()
		}
	})
	return w
}

func (w *witness) renew() {
	if w.dec != nil {
		w.dec.Close()
	}
	var err error
	if w.dec, err = decode.New(decode.Options{}); err != nil {
		w.t.Error(err)
	}
}

// unit checks a unit.
func (w *witness) unit(u *transport.RedactedUnit) {
	p := published{state: u.State, size: [2]int{u.Width, u.Height}, arrived: time.Now()}
	w.id++
	err := w.dec.Decode(u.Data, w.id, func(pic decode.Picture) error {
		s, err := stamptest.Read(pic.Image)
		w.mu.Lock()
		defer w.mu.Unlock()
		switch slate := isSlate(pic.Image); {
		case slate != (u.State != transport.StateLive):
			w.exposed = append(w.exposed, fmt.Sprintf("a unit that is %s (%s) shows a slate: %v", u.State, u.Reason, slate))
		case slate:
		case err != nil && slices.ContainsFunc(rectangles(u.Regions), stamp.Bounds(u.Width, u.Height).Overlaps):
			w.hidden++
		case err != nil:
			w.exposed = append(w.exposed, "a picture without a stamp")
		default:
			p.captured = s.Captured
			w.look(s.Number, u)
		}
		return nil
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.exposed = append(w.exposed, fmt.Sprintf("a unit that is %s cannot be decoded: %v", u.State, err))
	}
	w.units = append(w.units, p)
	close(w.more)
	w.more = make(chan struct{})
}

// look compares a picture's regions with its drawn faces.
func (w *witness) look(number uint32, u *transport.RedactedUnit) {
	s := w.scenes[[2]int{u.Width, u.Height}]
	if s == nil {
		w.exposed = append(w.exposed, fmt.Sprintf("a picture of %d×%d", u.Width, u.Height))
		return
	}
	o := s.Options()
	bounds := image.Rect(0, 0, o.Width, o.Height)
	for _, f := range s.Truth(number).Faces {
		if !mustBeHidden(f) {
			continue
		}
		w.faces++
		share := coverage(f.Box, rectangles(u.Regions), bounds)
		if share >= minCovered {
			continue
		}
		what := fmt.Sprintf("picture %d: face of person %d at %v is covered to %.0f %%", number, f.Person, f.Box.Rect(), 100*share)
		if f.Box.Rect().In(bounds) {
			w.exposed = append(w.exposed, what)
		} else {
			w.entering = append(w.entering, what)
		}
	}
}

// await waits for the first unit that fits, after the first from units.
func (w *witness) await(ctx context.Context, from int, what string, fits func(published) bool) published {
	w.t.Helper()
	for {
		w.mu.Lock()
		more := w.more
		for _, p := range w.units[from:] {
			if fits(p) {
				w.mu.Unlock()
				return p
			}
		}
		from = len(w.units)
		w.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			w.t.Fatalf("no unit is %s", what)
		}
	}
}

// now returns the number of units so far.
func (w *witness) now() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.units)
}

// live waits for a picture that was captured after a time.
func (w *witness) live(ctx context.Context, after time.Time) published {
	w.t.Helper()
	return w.await(ctx, 0, "live", func(p published) bool { return captured(p, after) })
}

func captured(p published, after time.Time) bool { return p.captured.After(after) }

// many waits for n live pictures after the first from units.
func (w *witness) many(ctx context.Context, from, n int) {
	w.t.Helper()
	w.await(ctx, from, "the last of many that are live", func(p published) bool {
		if p.state == transport.StateLive {
			n--
		}
		return n < 0
	})
}

// covered waits for a slate.
func (w *witness) covered(ctx context.Context, from int) published {
	w.t.Helper()
	return w.await(ctx, from, "a slate", func(p published) bool { return p.state != transport.StateLive })
}
