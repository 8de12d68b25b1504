package batch

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"scrim/pipeline/ipc"
)

// progress is a progress bar on a terminal. The bar counts bytes of input, which are known
// from the start; the speed is in frames. Methods of a nil progress do nothing.
type progress struct {
	bar    *progressbar.ProgressBar
	plan   *Plan
	file   int
	before int64 // bytes of the files before
	frames int64 // to expect of this file
	done   int64 // of this file
	all    int64 // frames of all files
	now    func() time.Time
	begun  time.Time
	drawn  time.Time // last
}

// redraw is the minimum time between two drawings.
const redraw = 100 * time.Millisecond

// newProgress returns a bar that is drawn to w; now is its clock.
func newProgress(w io.Writer, p *Plan, now func() time.Time) *progress {
	b := &progress{plan: p, now: now, begun: now(), file: -1}
	b.bar = progressbar.NewOptions64(max(p.total, 1),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish(),
		// Quirk: the library's own spinner draws concurrently, without a lock, and never ends.
		progressbar.OptionSetSpinnerChangeInterval(0),
	)
	// A bar that cannot be drawn must not end the redaction.
	_ = b.bar.RenderBlank()
	return b
}

// next begins file i.
func (b *progress) next(i int) {
	if b == nil {
		return
	}
	if b.file >= 0 {
		b.before += b.plan.sizes[b.file]
	}
	b.file, b.frames, b.done = i, 0, 0
	b.draw()
}

// expect sets about how many frames the file has.
func (b *progress) expect(frames int64) {
	if b != nil {
		b.frames = frames
	}
}

// step counts a frame.
func (b *progress) step() {
	if b == nil {
		return
	}
	b.done++
	b.all++
	b.draw()
}

func (b *progress) draw() {
	now := b.now()
	if now.Sub(b.drawn) < redraw {
		return
	}
	b.drawn = now
	f := b.plan.files[b.file]
	text := filepath.Base(f.Name)
	if n := len(b.plan.files); n > 1 {
		text += fmt.Sprintf(" (%d/%d)", b.file+1, n)
	}
	if f.Kind == ipc.Video && b.frames > 0 {
		text += fmt.Sprintf(" frame %d/%d", b.done, b.frames)
	}
	if s := now.Sub(b.begun).Seconds(); s > 0 && b.all > 0 {
		text += fmt.Sprintf(", %.1f frames/s", float64(b.all)/s)
	}
	at := b.before
	if b.frames > 0 {
		at += int64(float64(b.plan.sizes[b.file]) * min(1, float64(b.done)/float64(b.frames)))
	}
	_ = b.bar.Set64(min(at, max(b.plan.total, 1)-1)) // the last step clears it
	b.bar.Describe(text)
}

// clear removes the bar from the screen, so that a line can be written.
func (b *progress) clear() {
	if b != nil {
		_ = b.bar.Clear()
	}
}
