package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"scrim/transport"
	"scrim/transport/bus"
	"scrim/transport/fanout"
)

const (
	// silentAfter is the maximum age of a camera's last status; workers publish one every
	// second.
	silentAfter = 5 * time.Second
	// forgottenAfter is when a camera without a new status is no longer listed.
	forgottenAfter = 15 * time.Minute
	// maxCameras bounds the listed cameras. A status takes at most 10 KiB (see
	// bus.Conn.WatchStatus).
	maxCameras = 4096
	// eventBuffer is how many events may wait for a slow reader.
	eventBuffer = 64
)

// source reads the cameras of a site from the bus, for all servers of a gateway.
type source struct {
	conn *bus.Conn
	site string

	snapshots *snapshots

	mu      sync.Mutex
	cameras map[string]transport.Status // Updated is when it was received
	readers map[chan transport.Event]struct{}
	watches []*bus.Watch
}

// newSource subscribes to the site; the caller closes the source.
func newSource(conn *bus.Conn, site string) (*source, error) {
	s := &source{conn: conn, site: site, cameras: make(map[string]transport.Status), readers: make(map[chan transport.Event]struct{})}
	status, err := conn.WatchStatus(site, s.status)
	if err != nil {
		return nil, err
	}
	events, err := conn.WatchEvents(site, s.event)
	if err != nil {
		status.Close()
		return nil, err
	}
	s.watches, s.snapshots = []*bus.Watch{status, events}, newSnapshots()
	return s, nil
}

func (s *source) close() {
	for _, w := range s.watches {
		w.Close()
	}
	s.snapshots.close()
}

func (s *source) status(st transport.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.State == transport.StateRemoved {
		delete(s.cameras, st.Camera)
		return
	}
	now := time.Now()
	if _, known := s.cameras[st.Camera]; !known && !s.makeRoom(now) {
		return
	}
	st.Updated = now // other machines' clocks may be wrong
	s.cameras[st.Camera] = st
}

// makeRoom reports whether another camera can be listed. If the list is full it removes the
// camera that has been silent for longest: invented names must not keep out real cameras.
// It is called with the lock held.
func (s *source) makeRoom(now time.Time) bool {
	if len(s.cameras) < maxCameras {
		return true
	}
	oldest, at := "", now.Add(-silentAfter)
	for name, st := range s.cameras {
		if st.Updated.Before(at) {
			oldest, at = name, st.Updated
		}
	}
	if oldest == "" {
		return false
	}
	delete(s.cameras, oldest)
	return true
}

func (s *source) event(e transport.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.readers {
		select {
		case ch <- e:
		default:
		}
	}
}

// Cameras implements webrtc.Source. A camera whose worker is silent has failed.
func (s *source) Cameras() []transport.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	out := make([]transport.Status, 0, len(s.cameras))
	for name, st := range s.cameras {
		age := now.Sub(st.Updated)
		if age > forgottenAfter {
			delete(s.cameras, name)
			continue
		}
		if age > silentAfter {
			st.State, st.Fault, st.CoveredBy, st.FPS = transport.StateFailed, transport.FaultOther, "", 0
			st.Reason = fmt.Sprintf("no status from the camera's worker for %v", age.Truncate(time.Second))
		}
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b transport.Status) int { return strings.Compare(a.Camera, b.Camera) })
	return out
}

// Knows reports whether a worker has published a status of the camera.
func (s *source) Knows(camera string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.cameras[camera]
	return known
}

// Subscribe implements webrtc.Source.
func (s *source) Subscribe(camera string) (fanout.Subscription, error) {
	if !s.Knows(camera) {
		return nil, fmt.Errorf("%w: %q", fanout.ErrNoCamera, camera)
	}
	return s.conn.Subscribe(s.site, camera, transport.MainRendition)
}

// RequestKeyframe implements webrtc.Source.
func (s *source) RequestKeyframe(camera string) error {
	return s.conn.RequestKeyframe(s.site, camera)
}

// Events implements webrtc.Source.
func (s *source) Events(ctx context.Context) <-chan transport.Event {
	ch := make(chan transport.Event, eventBuffer)
	s.mu.Lock()
	s.readers[ch] = struct{}{}
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.readers, ch)
		close(ch)
	})
	return ch
}
