package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"scrim/transport"
)

const (
	// snapshotTimeout bounds the time in which a worker makes a snapshot.
	snapshotTimeout = 3 * time.Second
	// maxSnapshotReaders bounds the readers that wait for the same snapshot.
	maxSnapshotReaders = 32
	// snapshotReplies are the subjects of answers, below the camera's. They are not
	// NATS's usual inboxes, so that a worker needs no permission outside its site.
	snapshotReplies = "snapshot.*"
	hdrError        = "Scrim-Error"
	hdrStatus       = "Status" // of the server itself
)

// ErrNoSnapshot means that the worker has no picture, or that there is no worker.
var ErrNoSnapshot = errors.New("no snapshot")

var tokenRE = regexp.MustCompile(`^[A-Z0-9]{8,40}$`)

// snapshotServer answers requests for snapshots of one camera.
type snapshotServer struct {
	p      *Publisher
	make   func(context.Context) (*transport.Snapshot, error)
	sub    *nats.Subscription
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	waiting []string // subjects
	busy    bool
}

// ServeSnapshots calls snapshot on requests for the camera's picture. It makes one call
// at a time, which answers all requests that arrive before it returns. It must be
// called at most once.
func (p *Publisher) ServeSnapshots(snapshot func(context.Context) (*transport.Snapshot, error)) error {
	s := &snapshotServer{p: p, make: snapshot}
	s.ctx, s.cancel = context.WithCancel(p.conn.life)
	subject := Address{Site: p.site, Camera: p.camera, Kind: KindSnapshot}.Subject()
	sub, err := p.conn.subscribe(subject, maxPendingMessages, maxStateBytes, s.request)
	if err != nil {
		s.cancel()
		return fmt.Errorf("camera %s: %w", p.camera, p.conn.explain(err))
	}
	s.sub, p.snapshots = sub, s
	return nil
}

// request adds a waiting reader. Answers are only sent below the camera's own subjects:
// a gateway must not make a worker publish elsewhere.
func (s *snapshotServer) request(m *nats.Msg) {
	token, ok := strings.CutPrefix(m.Reply, prefix+s.p.site+"."+s.p.camera+".snapshot.")
	if !ok || !tokenRE.MatchString(token) {
		s.p.conn.dropped(m.Subject, errors.New("reply subject is not a snapshot's"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= maxSnapshotReaders || s.ctx.Err() != nil {
		return
	}
	s.waiting = append(s.waiting, m.Reply)
	if !s.busy {
		s.busy = true
		s.wg.Go(s.run)
	}
}

// run makes snapshots while readers wait.
func (s *snapshotServer) run() {
	for {
		ctx, cancel := context.WithTimeout(s.ctx, snapshotTimeout)
		picture, err := s.make(ctx)
		cancel()
		s.mu.Lock()
		replies := s.waiting
		s.waiting = nil
		if len(replies) == 0 || s.ctx.Err() != nil {
			s.busy = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		for _, reply := range replies {
			m := snapshotMessage(reply, s.p.camera, picture, err)
			if int64(len(m.Data))+maxStateBytes > s.p.conn.nc.MaxPayload() {
				m = snapshotMessage(reply, s.p.camera, nil, errors.New("picture is larger than the NATS server's max_payload"))
			}
			if err := s.p.conn.nc.PublishMsg(m); err != nil {
				s.p.conn.log.Debug("snapshot not sent", "camera", s.p.camera, "error", err)
			}
		}
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.busy = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
}

func (s *snapshotServer) close() {
	_ = s.sub.Unsubscribe() // fails only when the connection is closed
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.wg.Wait()
}

// snapshotMessage returns the answer to a reader.
func snapshotMessage(reply, camera string, s *transport.Snapshot, err error) *nats.Msg {
	m := &nats.Msg{Subject: reply, Header: nats.Header{hdrCamera: {camera}}}
	if err == nil && (s == nil || len(s.JPEG) > transport.MaxSnapshotBytes) {
		err = ErrNoSnapshot
	}
	if err != nil {
		m.Header[hdrError] = []string{reason(err.Error())}
		return m
	}
	m.Header[hdrCaptured] = []string{strconv.FormatInt(s.Captured.UnixNano(), 10)}
	m.Header[hdrSize] = []string{strconv.Itoa(s.Width) + "x" + strconv.Itoa(s.Height)}
	m.Header[hdrState] = []string{string(s.State)}
	m.Header[hdrReason] = []string{reason(s.Reason)}
	m.Data = s.JPEG
	return m
}

// parseSnapshot reads an untrusted answer.
func parseSnapshot(camera string, m *nats.Msg) (*transport.Snapshot, error) {
	if m.Header.Get(hdrStatus) == "503" && len(m.Data) == 0 {
		return nil, fmt.Errorf("camera %s: %w: no worker has this camera", camera, ErrNoSnapshot)
	}
	if m.Header.Get(hdrCamera) != camera {
		return nil, fmt.Errorf("%w: header names camera %.70q, not %s", ErrInvalid, m.Header.Get(hdrCamera), camera)
	}
	if text := m.Header.Get(hdrError); text != "" {
		return nil, fmt.Errorf("camera %s: %w: %s", camera, ErrNoSnapshot, reason(text))
	}
	r := headerReader{h: m.Header}
	s := &transport.Snapshot{
		Camera: camera, Captured: time.Unix(0, r.int(hdrCaptured)), State: transport.State(m.Header.Get(hdrState)),
		Reason: reason(m.Header.Get(hdrReason)), JPEG: m.Data,
	}
	s.Width, s.Height = r.pair(hdrSize, "x", transport.MaxSide)
	switch {
	case r.err != nil:
		return nil, r.err
	case !s.State.OfUnit():
		return nil, fmt.Errorf("%w: a snapshot cannot be in state %.20q", ErrInvalid, s.State)
	case len(m.Data) > transport.MaxSnapshotBytes || len(m.Data) < 4 || m.Data[0] != 0xff || m.Data[1] != 0xd8:
		return nil, fmt.Errorf("%w: snapshot of %d bytes is not a JPEG", ErrInvalid, len(m.Data))
	}
	return s, nil
}

// Snapshot asks a camera's worker for its picture as viewers see it and waits until ctx
// ends.
func (c *Conn) Snapshot(ctx context.Context, site, camera string) (*transport.Snapshot, error) {
	at := Address{Site: site, Camera: camera, Kind: KindSnapshot}
	if err := at.Check(); err != nil {
		return nil, err
	}
	reply := prefix + site + "." + camera + ".snapshot." + rand.Text()
	sub, err := c.nc.SubscribeSync(reply)
	if err != nil {
		return nil, fmt.Errorf("camera %s: snapshot: %w", camera, c.explain(err))
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.PublishMsg(&nats.Msg{Subject: at.Subject(), Reply: reply}); err != nil {
		return nil, fmt.Errorf("camera %s: snapshot: %w", camera, c.explain(err))
	}
	m, err := sub.NextMsgWithContext(ctx)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("camera %s: %w: no worker has this camera", camera, ErrNoSnapshot)
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("camera %s: %w: %w", camera, ErrNoSnapshot, ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("camera %s: snapshot: %w", camera, c.explain(err))
	}
	return parseSnapshot(camera, m)
}
