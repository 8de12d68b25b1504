package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

// Counts are what a Subscription has seen since it began.
type Counts struct {
	// Units were handed out.
	Units uint64
	// Lost are missing by their sequence numbers.
	Lost uint64
	// Skipped were complete but not decodable, because something before them was
	// missing.
	Skipped uint64
	// Stale came twice or from a worker that has been replaced.
	Stale uint64
	// Invalid messages were not what their subject says.
	Invalid uint64
	// Overruns are how often the reader was too slow, so that all that waited was
	// dropped.
	Overruns uint64
	// Requests for a key frame were sent.
	Requests uint64
}

// Subscription is the receiving end for one rendition of one camera. What it
// hands out can be decoded from the first unit on: it begins with a key frame,
// and goes on with a key frame after every loss. While it waits for one it asks
// for it, at most once a second. A slow reader loses units instead of falling
// behind by more than about two seconds.
type Subscription struct {
	conn  *Conn
	at    Address
	sub   *nats.Subscription
	asm   assembler
	seq   sequence
	asked time.Time

	mu     sync.Mutex
	counts Counts
}

// Subscribe begins to receive a camera's rendition and asks for a key frame.
func (c *Conn) Subscribe(site, camera, rendition string) (*Subscription, error) {
	s := &Subscription{conn: c, at: Address{Site: site, Camera: camera, Kind: KindVideo, Rendition: rendition}}
	if err := s.at.Check(); err != nil {
		return nil, err
	}
	sub, err := c.nc.SubscribeSync(s.at.Subject())
	if err != nil {
		return nil, fmt.Errorf("camera %s: subscribe: %w", camera, c.explain(err))
	}
	if err := sub.SetPendingLimits(maxPendingMessages, maxPendingVideo); err != nil {
		return nil, fmt.Errorf("camera %s: subscribe: %w", camera, c.explain(err))
	}
	s.sub = sub
	s.ask()
	return s, nil
}

// Next returns the next unit that can be decoded; the caller owns it. It waits
// until one comes, ctx ends, or the subscription or its connection is closed,
// then with an error that wraps ErrClosed or what ended the connection. Only one
// goroutine may call it.
func (s *Subscription) Next(ctx context.Context) (*transport.RedactedUnit, error) {
	for {
		m, err := s.sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrSlowConsumer):
			s.overrun()
			continue
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, fmt.Errorf("camera %s: %w", s.at.Camera, s.conn.explain(err))
		}
		if u := s.accept(m); u != nil {
			return u, nil
		}
	}
}

// accept returns the unit that a message completes, if it can be decoded.
func (s *Subscription) accept(m *nats.Msg) *transport.RedactedUnit {
	p, err := parsePart(s.at, m.Header, m.Data)
	if err != nil {
		s.conn.dropped(m.Subject, err)
		s.count(func(c *Counts) { c.Invalid++ })
		return nil
	}
	p, lost := s.asm.add(p)
	if lost {
		s.seq.lose()
	}
	if p == nil {
		return nil
	}
	v, missing := s.seq.admit(p.unit.Epoch, p.unit.Seq, p.unit.Key, time.Now())
	s.count(func(c *Counts) {
		c.Lost += missing
		switch v {
		case deliver:
			c.Units++
		case skip:
			c.Skipped++
		case stale:
			c.Stale++
		}
	})
	switch v {
	case deliver:
		return &p.unit
	case skip:
		s.ask()
	case stale:
	}
	return nil
}

// overrun drops all that waits: the reader is behind, and what it would read is
// old. It goes on at the next key frame.
func (s *Subscription) overrun() {
	waiting, _, err := s.sub.Pending()
	for range waiting {
		if err != nil && !errors.Is(err, nats.ErrSlowConsumer) {
			break
		}
		_, err = s.sub.NextMsg(time.Millisecond) // there already
	}
	s.asm.reset()
	s.seq.lose()
	s.count(func(c *Counts) { c.Overruns++ })
	s.ask()
}

// ask asks for a key frame, at most once in an interval. A request that is lost
// is made up for by the next unit that comes and cannot be decoded.
func (s *Subscription) ask() {
	now := time.Now()
	if now.Sub(s.asked) < keyframeInterval {
		return
	}
	s.asked = now
	if err := s.conn.RequestKeyframe(s.at.Site, s.at.Camera); err != nil {
		s.conn.log.Debug("key frame not asked for", "camera", s.at.Camera, "error", err)
		return
	}
	s.count(func(c *Counts) { c.Requests++ })
}

func (s *Subscription) count(f func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
}

// Counts may be called at any time.
func (s *Subscription) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Close ends the subscription; a waiting Next returns.
func (s *Subscription) Close() {
	_ = s.sub.Unsubscribe() // fails only when it is closed already
}

// RequestKeyframe asks a camera's worker for a key frame. It returns when the
// request is on its way; the worker combines what many viewers ask for.
func (c *Conn) RequestKeyframe(site, camera string) error {
	at := Address{Site: site, Camera: camera, Kind: KindKeyframe}
	if err := at.Check(); err != nil {
		return err
	}
	if err := c.nc.Publish(at.Subject(), nil); err != nil {
		return fmt.Errorf("camera %s: ask for a key frame: %w", camera, c.explain(err))
	}
	return nil
}
