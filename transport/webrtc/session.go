package webrtc

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v3"

	"scrim/transport/fanout"
)

// session is one viewer's connection to one camera.
type session struct {
	g          *Gateway
	id, etag   string
	camera     string
	ufrag      string // of the viewer
	pc         *pion.PeerConnection
	track      *pion.TrackLocalStaticRTP
	sender     *pion.RTPSender
	hub        *fanout.Hub
	connected  chan struct{}
	connecting sync.Once
	ctx        context.Context
	cancel     context.CancelFunc

	mu         sync.Mutex
	candidates int // so far
}

// open creates a session for an offer and returns it with the answer. The session ends
// by itself if nobody connects.
func (g *Gateway) open(ctx context.Context, camera string, o *offer) (*session, string, error) {
	s, err := g.acquireSlot(camera, o)
	if err != nil {
		return nil, "", err
	}
	answer, err := s.negotiate(ctx, o)
	if err != nil {
		s.cancel()
		s.shut()
		g.wg.Done()
		return nil, "", err
	}
	g.count.opened.Add(1)
	go s.run() // acquireSlot has added it to g.wg
	return s, answer, nil
}

// acquireSlot acquires a session slot before anything costly is created. The caller
// calls s.shut and g.wg.Done.
func (g *Gateway) acquireSlot(camera string, o *offer) (*session, error) {
	s := &session{
		g: g, id: rand.Text(), etag: strconv.Quote(rand.Text()), camera: camera, ufrag: o.ufrag,
		candidates: o.candidates, connected: make(chan struct{}),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil, refuse(http.StatusServiceUnavailable, "the gateway is shutting down")
	case len(g.sessions) >= g.opt.MaxViewers:
		g.count.refused.Add(1)
		return nil, refuse(http.StatusServiceUnavailable, "limit of %d viewers reached; try again later", g.opt.MaxViewers)
	}
	s.ctx, s.cancel = context.WithCancel(g.ctx)
	g.sessions[s.id] = s
	g.wg.Add(1)
	return s, nil
}

// negotiate creates the peer connection and answers the offer.
func (s *session) negotiate(ctx context.Context, o *offer) (string, error) {
	if s.hub = s.g.hubs.Acquire(s.camera); s.hub == nil {
		return "", refuse(http.StatusServiceUnavailable, "the gateway is shutting down")
	}
	var err error
	if s.pc, err = s.g.api.NewPeerConnection(pion.Configuration{}); err != nil {
		return "", err
	}
	s.pc.OnConnectionStateChange(s.stateChanged)
	if s.track, err = pion.NewTrackLocalStaticRTP(codec(profiles[0]), "video", s.camera); err != nil {
		return "", err
	}
	t, err := s.pc.AddTransceiverFromTrack(s.track, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly})
	if err != nil {
		return "", err
	}
	s.sender = t.Sender()
	if err = s.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: o.sdp}); err != nil {
		return "", refuse(http.StatusBadRequest, "the offer cannot be used: %s", brief(err))
	}
	answer, err := s.pc.CreateAnswer(nil)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "the offer cannot be answered: %s", brief(err))
	}
	gathered := pion.GatheringCompletePromise(s.pc)
	if err = s.pc.SetLocalDescription(answer); err != nil {
		return "", refuse(http.StatusBadRequest, "the offer cannot be answered: %s", brief(err))
	}
	if t.Direction() != pion.RTPTransceiverDirectionSendonly || t.Mid() == "" {
		return "", refuse(http.StatusNotAcceptable, "the offer does not allow any video to be sent")
	}
	select {
	case <-gathered:
	case <-time.After(gatherTimeout): // the candidates so far must suffice
	case <-ctx.Done():
		return "", ctx.Err()
	case <-s.ctx.Done():
		return "", refuse(http.StatusServiceUnavailable, "the gateway is shutting down")
	}
	return addPublic(s.pc.LocalDescription().SDP, s.g.opt.PublicIPs), nil
}

// stateChanged is called by pion and must not block.
func (s *session) stateChanged(state pion.PeerConnectionState) {
	switch state {
	case pion.PeerConnectionStateConnected:
		s.connecting.Do(func() { close(s.connected) })
	case pion.PeerConnectionStateFailed, pion.PeerConnectionStateClosed:
		s.cancel()
	default: // a disconnected viewer may reconnect; failed follows if not
	}
}

// run serves the session after the answer.
func (s *session) run() {
	defer s.g.wg.Done()
	defer s.shut()
	log := s.g.log.With("camera", s.camera)
	deadline := time.NewTimer(s.g.times.connect)
	defer deadline.Stop()
	select {
	case <-s.ctx.Done():
		return
	case <-deadline.C:
		s.g.count.timedOut.Add(1)
		log.Info("viewer never connected", "timeout", s.g.times.connect)
		return
	case <-s.connected:
	}
	s.g.count.viewers.Add(1)
	defer s.g.count.viewers.Add(-1)
	joined := time.Now()
	log.Info("viewer connected")
	s.g.wg.Go(s.feedback)
	s.g.wg.Go(func() { s.endWhenSilent(joined) })
	v := newViewer(s.track.WriteRTP, negotiated(s.sender.GetParameters()), &s.g.count)
	s.hub.Add(v.queue)
	defer s.hub.Remove(v.queue)
	v.run(s.ctx)
	log.Info("viewer disconnected", "after", time.Since(joined).Round(time.Second))
}

// endWhenSilent ends the session if the camera has sent nothing for too long. A dead
// worker or bus cannot report that, and a viewer other than our page would show the
// last picture forever.
func (s *session) endWhenSilent(joined time.Time) {
	for {
		left := s.hub.IdleLeft(joined, time.Now())
		if left <= 0 {
			s.g.count.silent.Add(1)
			s.g.log.Info("no data from camera; session ended", "camera", s.camera)
			s.cancel()
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(min(left, s.g.hubs.Times.Silence)): // a unit may shorten it
		}
	}
}

// maxBadRTCP bounds the invalid RTCP packets in a row.
const maxBadRTCP = 100

// feedback reads RTCP until the connection ends. NACKs are answered only while it runs.
func (s *session) feedback() {
	for bad := 0; bad < maxBadRTCP; {
		packets, _, err := s.sender.ReadRTCP()
		if err != nil {
			if s.ctx.Err() != nil || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, io.EOF) {
				return
			}
			bad++
			continue
		}
		bad = 0
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.hub.RequestKeyframe()
			}
		}
	}
}

// shut frees the session's resources.
func (s *session) shut() {
	s.cancel()
	s.g.mu.Lock()
	delete(s.g.sessions, s.id)
	s.g.mu.Unlock()
	if s.pc != nil {
		if err := s.pc.GracefulClose(); err != nil {
			s.g.log.Debug("connection not closed cleanly", "camera", s.camera, "error", err)
		}
	}
	if s.hub != nil {
		s.g.hubs.Release(s.hub)
	}
}

// trickle adds candidates.
func (s *session) trickle(f *fragment) error {
	if f.ufrag != "" && f.ufrag != s.ufrag {
		return refuse(http.StatusUnprocessableEntity, "ICE restarts are not supported; open another session")
	}
	s.mu.Lock()
	s.candidates += f.listed
	over := s.candidates > maxCandidates
	s.mu.Unlock()
	if over {
		return refuse(http.StatusUnprocessableEntity, "the session has more than %d candidates", maxCandidates)
	}
	for _, c := range f.candidates {
		if err := s.pc.AddICECandidate(c); err != nil {
			return refuse(http.StatusUnprocessableEntity, "candidate refused: %s", brief(err))
		}
	}
	return nil
}

// find returns the session that a request names.
func (g *Gateway) find(r *http.Request) (*session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sessions[r.PathValue("session")]
	if s == nil || s.camera != r.PathValue("camera") || s.ctx.Err() != nil {
		return nil, refuse(http.StatusNotFound, "unknown session; it may have ended")
	}
	return s, nil
}
