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

// Counts are a Subscription's counters.
type Counts struct {
	// Units were delivered.
	Units uint64
	// Lost units are missing by their sequence numbers.
	Lost uint64
	// Skipped units were complete but not decodable, because an earlier one was
	// missing.
	Skipped uint64
	// Stale units were repeated, or from a replaced worker.
	Stale uint64
	// Invalid messages did not match their subject or bounds.
	Invalid uint64
	// Overruns counts how often the queue was dropped because the reader was too slow.
	Overruns uint64
	// Requests for a key frame were sent.
	Requests uint64
}

// Subscription is the receiving end for one rendition of one camera. Its units can be
// decoded from the first one: it starts with a key frame and continues with a key frame
// after every loss. While it waits for a key frame, it requests one at most once a
// second. A slow reader loses units instead of lagging by more than about two seconds.
type Subscription struct {
	conn      *Conn
	at        Address
	sub       *nats.Subscription
	asm       assembler
	seq       sequence
	requested time.Time

	mu     sync.Mutex
	counts Counts
}

// Subscribe starts to receive a camera's rendition and requests a key frame.
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
	s.requestKeyframe()
	return s, nil
}

// Next returns the next unit that can be decoded; the caller owns it. It blocks until
// there is one, until ctx ends, or until the subscription or its connection ends. Then
// it returns an error that wraps ErrClosed or the reason of the connection's end. Only
// one goroutine may call it.
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

// accept returns the unit that a message completes if it can be decoded.
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
		s.requestKeyframe()
	case stale:
	}
	return nil
}

// overrun drops the queue: the reader is late, and the queued units are old. It
// continues at the next key frame.
func (s *Subscription) overrun() {
	waiting, _, err := s.sub.Pending()
	for range waiting {
		if err != nil && !errors.Is(err, nats.ErrSlowConsumer) {
			break
		}
		_, err = s.sub.NextMsg(time.Millisecond) // received already
	}
	s.asm.reset()
	s.seq.lose()
	s.count(func(c *Counts) { c.Overruns++ })
	s.requestKeyframe()
}

// requestKeyframe requests a key frame, at most once in an interval. If a request is
// lost, the next unit that cannot be decoded causes another.
func (s *Subscription) requestKeyframe() {
	now := time.Now()
	if now.Sub(s.requested) < keyframeInterval {
		return
	}
	s.requested = now
	if err := s.conn.RequestKeyframe(s.at.Site, s.at.Camera); err != nil {
		s.conn.log.Debug("key frame request failed", "camera", s.at.Camera, "error", err)
		return
	}
	s.count(func(c *Counts) { c.Requests++ })
}

func (s *Subscription) count(f func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.counts)
}

// Counts returns the current counters. It may be called at any time.
func (s *Subscription) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Close ends the subscription; a waiting Next returns.
func (s *Subscription) Close() {
	_ = s.sub.Unsubscribe() // fails only when it is closed already
}

// RequestKeyframe asks a camera's worker for a key frame. It returns when the request
// is sent. The worker combines the requests of all viewers.
func (c *Conn) RequestKeyframe(site, camera string) error {
	at := Address{Site: site, Camera: camera, Kind: KindKeyframe}
	if err := at.Check(); err != nil {
		return err
	}
	if err := c.nc.Publish(at.Subject(), nil); err != nil {
		return fmt.Errorf("camera %s: request key frame: %w", camera, c.explain(err))
	}
	return nil
}
