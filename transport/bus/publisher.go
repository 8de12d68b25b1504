package bus

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

// Publisher sends the redacted units, status and events of one camera. It is safe for
// concurrent use. Without a connection nothing is kept, and every call returns an error
// that wraps ErrDisconnected.
type Publisher struct {
	conn         *Conn
	site, camera string
	status       string
	events       string
	requests     *nats.Subscription
	limit        *limiter
	snapshots    *snapshotServer // nil: not served

	mu    sync.Mutex
	msg   nats.Msg
	video map[string]string // subject by rendition
}

// Publisher returns the sending end for one camera. If keyframe is not nil, it is
// called when viewers request a key frame, at most once a second and with no lock held.
// It must not block.
func (c *Conn) Publisher(site, camera string, keyframe func()) (*Publisher, error) {
	at := Address{Site: site, Camera: camera, Kind: KindStatus}
	if err := at.Check(); err != nil {
		return nil, err
	}
	p := &Publisher{
		conn: c, site: site, camera: camera,
		status: at.Subject(),
		events: Address{Site: site, Camera: camera, Kind: KindEvents}.Subject(),
		msg:    nats.Msg{Header: nats.Header{}},
		video:  make(map[string]string),
	}
	if keyframe == nil {
		return p, nil
	}
	p.limit = newLimiter(keyframeInterval, keyframe)
	subject := Address{Site: site, Camera: camera, Kind: KindKeyframe}.Subject()
	sub, err := c.subscribe(subject, maxPendingMessages, maxStateBytes, func(*nats.Msg) { p.limit.request() })
	if err != nil {
		p.limit.close()
		return nil, fmt.Errorf("camera %s: %w", camera, c.explain(err))
	}
	p.requests = sub
	return p, nil
}

// Publish sends a unit, whose Data remains the caller's. The unit must be of this
// publisher's camera and within the bounds of size. A unit over MaxPartBytes, or over
// the server's limit, is sent in several messages.
func (p *Publisher) Publish(u *transport.RedactedUnit) error {
	if u.Camera != p.camera {
		return fmt.Errorf("camera %s: refused to publish a unit of camera %.70q", p.camera, u.Camera)
	}
	if err := checkUnit(u); err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	subject, ok := p.video[u.Rendition]
	if !ok {
		at := Address{Site: p.site, Camera: p.camera, Kind: KindVideo, Rendition: u.Rendition}
		if err := at.Check(); err != nil {
			return fmt.Errorf("camera %s: publish: %w", p.camera, err)
		}
		subject = at.Subject()
		p.video[u.Rendition] = subject
	}
	// Not cached: after a reconnection it may be another server.
	size, err := partBytes(p.conn.nc.MaxPayload())
	if err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, err)
	}
	p.msg.Subject = subject
	m := (len(u.Data) + size - 1) / size
	for n := 1; n <= m; n++ {
		writeHeader(p.msg.Header, u, n, m)
		p.msg.Data = u.Data[(n-1)*size : min(n*size, len(u.Data))]
		err := p.conn.nc.PublishMsg(&p.msg)
		p.msg.Data = nil
		if err != nil {
			return fmt.Errorf("camera %s: publish: %w", p.camera, p.conn.explain(err))
		}
	}
	return nil
}

// PublishStatus sends the camera's status. Texts are cut to the bounds for received
// ones; other values must be within theirs.
func (p *Publisher) PublishStatus(s transport.Status) error {
	if s.Site != p.site || s.Camera != p.camera {
		return fmt.Errorf("camera %s: refused to publish the status of %.70q", p.camera, s.Site+"/"+s.Camera)
	}
	tidyStatus(&s)
	if err := checkStatus(&s); err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, err)
	}
	return p.send(p.status, s)
}

// PublishEvent sends an event of the camera, bounded as a status is.
func (p *Publisher) PublishEvent(e transport.Event) error {
	if e.Site != p.site || e.Camera != p.camera {
		return fmt.Errorf("camera %s: refused to publish an event of %.70q", p.camera, e.Site+"/"+e.Camera)
	}
	tidyEvent(&e)
	if err := checkState(e.State); err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, err)
	}
	return p.send(p.events, e)
}

func (p *Publisher) send(subject string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, err)
	}
	if len(b) > maxStateBytes {
		return fmt.Errorf("camera %s: publish: %d bytes are over the limit of %d", p.camera, len(b), maxStateBytes)
	}
	if err := p.conn.nc.Publish(subject, b); err != nil {
		return fmt.Errorf("camera %s: publish: %w", p.camera, p.conn.explain(err))
	}
	return nil
}

// Close stops serving requests. When it returns, no call of keyframe starts any more,
// and no snapshot is being made. The connection stays open.
func (p *Publisher) Close() {
	if p.snapshots != nil {
		p.snapshots.close()
	}
	if p.requests == nil {
		return
	}
	_ = p.requests.Unsubscribe() // fails only when the connection is closed
	p.limit.close()
}
