package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"scrim/pipeline/ipc"
	"scrim/pipeline/redactorproc"
	"scrim/transport"
)

const (
	// pictureTimeout is how long a redactor may give no picture.
	pictureTimeout = 15 * time.Second
	// inFlight is how many pictures the redactor has at a time: two, so that its
	// stages overlap, and no more than its queues hold, so that it drops none.
	inFlight = 2
	// reorderDelay is the time without a picture after which the decoder is assumed to
	// need one more to reorder them.
	reorderDelay = time.Second
)

// Unit is a coded picture that is fed to a program.
type Unit struct {
	Data []byte
	PTS  int64
}

// Feeding says how a redactor gets the units of a clip.
type Feeding struct {
	// Paced feeds them at the clip's rate. Otherwise each is fed as soon as the
	// redactor is ready, and what happens every few seconds costs less than in real life.
	Paced bool
	// Skip is how many pictures at the start do not count for the cost.
	Skip int
}

// RunRedactor feeds all units to a redactor.
// It returns the cost and the pictures that were shown. The redactor is the program,
// with the settings, that redacts a camera.
func RunRedactor(ctx context.Context, program string, c ipc.Config, clip *Clip, units []Unit, f Feeding) (*Loop, []Shown, Model, error) {
	ahead := inFlight + c.Lookahead
	r := &redactor{clip: clip, units: units, feeding: f, free: make(chan struct{}, ahead+len(units)), stages: NewHistograms()}
	r.release(ahead)
	var err error
	if r.proc, err = redactorproc.Start(redactorproc.Options{Program: program, Args: ipc.ReadArgs(c.Detect)}); err != nil {
		return nil, nil, Model{}, err
	}
	peakRSS := trackPeak(r.proc.PID())
	r.watchdog = time.AfterFunc(pictureTimeout, r.proc.Kill)
	defer context.AfterFunc(ctx, r.proc.Kill)()
	var g errgroup.Group
	done := make(chan struct{})
	g.Go(func() error { return r.write(c, done) })
	g.Go(func() error {
		defer close(done)
		return r.read()
	})
	err = g.Wait()
	killed := !r.watchdog.Stop()
	exit := r.proc.Wait()
	peak := peakRSS()
	switch {
	case ctx.Err() != nil:
		return nil, nil, Model{}, ctx.Err()
	case killed:
		reason := r.slate
		if e, ok := errors.AsType[*redactorproc.ExitReason](exit); ok {
			reason = cmp.Or(reason, e.Stderr)
		}
		return nil, nil, Model{}, fmt.Errorf("redactor returned no picture for %v: %s", pictureTimeout, reason)
	case err != nil:
		return nil, nil, Model{}, fmt.Errorf("redactor: %w", err)
	case exit != nil:
		return nil, nil, Model{}, exit
	case r.meter == nil:
		return nil, nil, Model{}, errors.New("redactor returned no picture")
	}
	l := r.meter.Loop()
	// The pictures that the decoder holds back overflow the queues at the end.
	l.Dropped, l.Stages = max(len(units)-clip.Delayed-l.Frames, 0), r.stages.Stages()
	l.TotalCPU, l.PeakRSS = cpuOf(r.proc.State())/float64(max(l.Frames, 1)), float64(peak)/(1<<20)
	return l, r.shown, r.model, nil
}

// redactor is a redactor that is fed with a clip.
type redactor struct {
	proc     *redactorproc.Process
	clip     *Clip
	units    []Unit
	feeding  Feeding
	free     chan struct{} // a token for each picture that may be sent
	watchdog *time.Timer
	meter    *LoopMeter
	model    Model
	stages   Histograms
	shown    []Shown
	slate    string // why the last slate was sent
	lost     uint64 // units that the redactor dropped, and pictures that it withheld
}

// write sends the configuration and the units, and closes the pipe.
func (r *redactor) write(c ipc.Config, done <-chan struct{}) error {
	defer r.proc.CloseInput()
	if err := r.proc.Write(ipc.TypeConfig, c, nil); err != nil {
		return nil //nolint:nilerr // the reader gets the reason
	}
	extra, start := r.clip.Delayed, time.Now()
	for i := range r.units {
		var held <-chan time.Time // no picture may come before the next unit is sent
		if extra > 0 {
			held = time.After(reorderDelay)
		}
		select {
		case <-r.free:
		case <-held:
			extra--
		case <-done:
			return nil
		}
		u := &r.units[i]
		if r.feeding.Paced {
			select {
			case <-time.After(time.Until(start.Add(duration(u.PTS - r.units[0].PTS)))):
			case <-done:
				return nil
			}
		}
		now := time.Now()
		head := transport.CameraUnit{Codec: transport.H264, PTS: u.PTS, Captured: now, Arrived: now}
		if i == 0 {
			head.Gap = transport.Gap{Kind: transport.GapConnected, Text: "connected", Intact: true}
		}
		if err := r.proc.Write(ipc.TypeUnit, head, u.Data); err != nil {
			return nil //nolint:nilerr // the reader gets the reason
		}
	}
	return nil
}

// read handles messages until the pipe ends.
func (r *redactor) read() error {
	var failed error
	for {
		m, err := r.proc.Read()
		if errors.Is(err, io.EOF) {
			return failed
		}
		if f, ok := errors.AsType[*redactorproc.Failure](err); ok { // it exits by itself now
			failed = f
			continue
		}
		if err != nil {
			r.proc.Kill()
			return err
		}
		switch m.Type {
		case ipc.TypeHello:
			var h ipc.Hello
			if err := m.Decode(&h); err != nil {
				return err
			}
			r.model = Model{Name: h.Detector, SHA256: h.ModelSHA256}
			r.meter = NewLoopMeter("scrim-redactor", r.clip.FPS(), r.feeding.Skip)
		case ipc.TypeOutput:
			var o ipc.Output
			if err := m.Decode(&o); err != nil {
				return err
			}
			// A dropped unit frees its place as well.
			n := o.Counts.UnitsDropped + o.Counts.PicturesWithheld
			r.release(int(n - r.lost)) //nolint:gosec // a count
			r.lost = n
			if o.Record == nil { // a slate
				r.slate = o.Reason
				continue
			}
			r.watchdog.Reset(pictureTimeout)
			r.picture(&o)
		}
	}
}

func (r *redactor) picture(o *ipc.Output) {
	t := &o.Record.Stages
	r.meter.Frame(Usage{CPU: time.Duration(t.CPU), Bytes: t.Allocated})
	if len(r.shown) >= WarmUp {
		for name, v := range map[string]int64{
			Decode: t.Decode, Sight: t.Sight, Detect: t.Detect, Motion: t.Motion, Track: t.Track, Obscure: t.Obscure, Encode: t.Encode,
		} {
			r.stages.Add(name, time.Duration(v))
		}
	}
	blind := ""
	if o.State == transport.StateBlind {
		blind = o.Reason
	}
	// The redactor numbers decoded pictures from 1.
	r.shown = append(r.shown, Shown{int(o.Record.Picture) - 1, o.Width, o.Height, o.Record.Regions, blind}) //nolint:gosec // a count
	r.release(1)
}

// release allows n more pictures to be sent.
func (r *redactor) release(n int) {
	for range n {
		select {
		case r.free <- struct{}{}:
		default: // all were sent
		}
	}
}
