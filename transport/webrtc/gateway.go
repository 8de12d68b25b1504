package webrtc

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v2"
	pion "github.com/pion/webrtc/v3"

	"scrim/transport"
	"scrim/transport/fanout"
)

// Counts are a Gateway's counters and current values.
type Counts struct {
	// Sessions are open; Viewers of them are connected.
	Sessions, Viewers int
	// Subscriptions is the number of subscribed cameras.
	Subscriptions int
	// Opened counts sessions. Refused were over the limit. TimedOut never connected.
	// Silent ended because their camera sent nothing.
	Opened, Refused, TimedOut, Silent uint64
	// Units were received from the source and packetised.
	Units uint64
	// Packets and Bytes (payload) were sent to viewers, without Retransmitted packets.
	Packets, Bytes, Retransmitted uint64
	// RetransmitsRefused would have exceeded twice the bit rate.
	RetransmitsRefused uint64
	// Dropped are units that a slow viewer missed.
	Dropped uint64
	// WrongCamera units named another camera than the one subscribed to. It must stay
	// 0.
	WrongCamera uint64
	// KeyframeRequests were sent to cameras.
	KeyframeRequests uint64
	// Resubscribed counts subscriptions that failed and were retried.
	Resubscribed uint64
}

// counters are the part of Counts that only grows.
type counters struct {
	opened, refused, timedOut, silent atomic.Uint64
	packets, bytes                    atomic.Uint64
	retransmitted, retransmitsRefused atomic.Uint64
	viewers, eventStreams             atomic.Int64
	fanout                            fanout.Counters
}

// times are the constants of the same names. Tests change them.
type times struct {
	connect, heartbeat, status, event, list time.Duration
	iceDisconnected, iceFailed              time.Duration
}

// Gateway serves viewers. Its methods may be called from many goroutines.
type Gateway struct {
	opt   Options
	log   *slog.Logger
	api   *pion.API
	mux   *ice.MultiUDPMuxDefault // nil: one port per viewer
	http  http.Handler
	times times
	count counters

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // sessions and event streams
	hubs   *fanout.Hubs

	mu       sync.Mutex
	closed   bool
	sessions map[string]*session

	shared statuses
}

// New returns a gateway and opens the UDP port of Options.UDPPort. The caller closes
// it.
func New(o Options) (*Gateway, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.MaxViewers = cmp.Or(o.MaxViewers, DefaultMaxViewers)
	o.Log = cmp.Or(o.Log, slog.Default())
	g := &Gateway{
		opt: o, log: o.Log,
		times: times{
			connect: connectTimeout, heartbeat: heartbeat, status: statusInterval, event: eventInterval, list: listAge,
			iceDisconnected: iceDisconnected, iceFailed: iceFailed,
		},
		sessions: map[string]*session{},
	}
	if o.UDPPort > 0 {
		mux, err := listenUDP(o.UDPPort, pionLog{log: g.log, scope: "udp"})
		if err != nil {
			return nil, fmt.Errorf("webrtc: listen on UDP port %d: %w; choose another port or stop the program that uses it", o.UDPPort, err)
		}
		g.mux = mux
	}
	api, err := g.newAPI()
	if err != nil {
		if g.mux != nil {
			_ = g.mux.Close()
		}
		return nil, fmt.Errorf("webrtc: %w", err)
	}
	g.api = api
	g.hubs = fanout.New(o.Source, &g.count.fanout, o.Log)
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.http = g.routes()
	return g, nil
}

// Handler serves the page, the API and WHEP, below "/".
func (g *Gateway) Handler() http.Handler { return g.http }

// Close ends all sessions and event streams and waits for their end. Later requests get
// 503.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.cancel()
	g.wg.Wait()
	g.hubs.Close()
	if g.mux == nil {
		return nil
	}
	if err := g.mux.Close(); err != nil {
		return fmt.Errorf("webrtc: close UDP port: %w", err)
	}
	return nil
}

// Counts returns the current counters.
func (g *Gateway) Counts() Counts {
	g.mu.Lock()
	sessions := len(g.sessions)
	g.mu.Unlock()
	c := &g.count
	return Counts{
		Sessions: sessions, Viewers: int(c.viewers.Load()), Subscriptions: g.hubs.Len(),
		Opened: c.opened.Load(), Refused: c.refused.Load(), TimedOut: c.timedOut.Load(), Silent: c.silent.Load(),
		Units: c.fanout.Units.Load(), Packets: c.packets.Load(), Bytes: c.bytes.Load(), Dropped: c.fanout.Dropped.Load(),
		Retransmitted: c.retransmitted.Load(), RetransmitsRefused: c.retransmitsRefused.Load(),
		WrongCamera: c.fanout.WrongCamera.Load(), KeyframeRequests: c.fanout.Keyframes.Load(), Resubscribed: c.fanout.Resubscribed.Load(),
	}
}

// enter registers work for which Close waits. It fails once Close has begun; otherwise
// the caller calls g.wg.Done.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.wg.Add(1)
	return true
}

// knows reports whether the source has the camera.
func (g *Gateway) knows(camera string) bool {
	return slices.ContainsFunc(g.opt.Source.Cameras(), func(s transport.Status) bool { return s.Camera == camera })
}
