package transporttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
)

// Source is a fanout.Source, and what gateways and RTSP servers need besides, whose
// cameras send what the test wants. Its methods may be called from many goroutines.
type Source struct {
	mu        sync.Mutex
	cameras   []transport.Status
	listed    int // how often Cameras was called
	subs      map[string][]*subscription
	ever      map[string]int // subscriptions
	keyframes map[string]int // requests
	fail      error          // of Subscribe and Snapshot
	events    []chan transport.Event
}

// NewSource returns a source of live cameras that have sent nothing yet.
func NewSource(cameras ...string) *Source {
	s := &Source{subs: map[string][]*subscription{}, ever: map[string]int{}, keyframes: map[string]int{}}
	for _, name := range cameras {
		s.cameras = append(s.cameras, transport.Status{Site: "plant", Camera: name, State: transport.StateLive, Width: 640, Height: 360, FPS: 25})
	}
	return s
}

// Cameras returns the cameras' statuses.
func (s *Source) Cameras() []transport.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed++
	return slices.Clone(s.cameras)
}

// Listed returns how often Cameras was called.
func (s *Source) Listed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed
}

// Knows reports whether there is a camera.
func (s *Source) Knows(camera string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index(camera) >= 0
}

// index must be called under the lock.
func (s *Source) index(camera string) int {
	return slices.IndexFunc(s.cameras, func(c transport.Status) bool { return c.Camera == camera })
}

// usable must be called under the lock.
func (s *Source) usable(camera string) error {
	if s.fail == nil && s.index(camera) < 0 {
		return fmt.Errorf("camera %s: %w", camera, fanout.ErrNoCamera)
	}
	return s.fail
}

// Subscribe begins to receive what Send sends from now on.
func (s *Source) Subscribe(camera string) (fanout.Subscription, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ever[camera]++
	if err := s.usable(camera); err != nil {
		return nil, err
	}
	u := &subscription{source: s, camera: camera, units: make(chan *transport.RedactedUnit, 4096), broken: make(chan error, 1)}
	s.subs[camera] = append(s.subs[camera], u)
	return u, nil
}

// RequestKeyframe counts.
func (s *Source) RequestKeyframe(camera string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyframes[camera]++
	return nil
}

// Snapshot returns one that is not an image.
func (s *Source) Snapshot(_ context.Context, camera string) (*transport.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(camera); err != nil {
		return nil, err
	}
	return &transport.Snapshot{Camera: camera, Captured: time.Unix(1700000000, 0), State: transport.StateLive, JPEG: []byte("a picture")}, nil
}

// Events returns what Happen reports, until ctx ends.
func (s *Source) Events(ctx context.Context) <-chan transport.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := make(chan transport.Event, 16)
	s.events = append(s.events, ch)
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = slices.DeleteFunc(s.events, func(c chan transport.Event) bool { return c == ch })
		close(ch)
	})
	return ch
}

// Send hands units to all that are subscribed to the camera.
func (s *Source) Send(camera string, units ...*transport.RedactedUnit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subs[camera] {
		for _, u := range units {
			sub.units <- u
		}
	}
}

// Break ends all subscriptions of a camera with an error.
func (s *Source) Break(camera string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.subs[camera] {
		sub.broken <- err
	}
}

// Fail lets everything that may fail do so, until it is called with nil.
func (s *Source) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// Set changes the status of a camera, or adds the camera.
func (s *Source) Set(status transport.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(status.Camera); i >= 0 {
		s.cameras[i] = status
	} else {
		s.cameras = append(s.cameras, status)
	}
}

// Remove removes a camera. Its subscriptions stay.
func (s *Source) Remove(camera string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(camera); i >= 0 {
		s.cameras = slices.Delete(s.cameras, i, i+1)
	}
}

// Happen reports an event.
func (s *Source) Happen(e transport.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.events {
		ch <- e
	}
}

// Counts returns a camera's open subscriptions, those ever made, and the requests for
// key frames.
func (s *Source) Counts(camera string) (open, ever, keyframes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs[camera]), s.ever[camera], s.keyframes[camera]
}

type subscription struct {
	source *Source
	camera string
	units  chan *transport.RedactedUnit
	broken chan error
}

func (u *subscription) Next(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case x := <-u.units:
		return x, nil
	case err := <-u.broken:
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (u *subscription) Close() {
	s := u.source
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs[u.camera] = slices.DeleteFunc(s.subs[u.camera], func(x *subscription) bool { return x == u })
}
