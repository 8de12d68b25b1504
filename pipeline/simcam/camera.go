package simcam

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"scrim/pipeline/internal/x264"
	"scrim/pipeline/scene"
	"scrim/redact/yuv"
	"scrim/transport"
)

// Defaults of Options.
const (
	DefaultListen = "127.0.0.1:8554"
	DefaultPath   = "camera"
	DefaultGOP    = time.Second
)

// greetings is how many pictures in a row come as key frames with a sender
// report when a viewer has come: the first may be sent before gortsplib has
// taken the viewer on, which it does after OnPlay.
const greetings = 2

// Options say what a Camera shows, and how.
type Options struct {
	// Listen is the TCP address; port 0 takes a free one. Empty: DefaultListen.
	Listen string
	// Path of the stream, without a slash. Empty: DefaultPath.
	Path string
	// User and Password are required of clients; no login if User is empty.
	User, Password string
	// UDPPort is an even port for RTP, with RTCP on the next; 0: RTP comes
	// within the RTSP connection only.
	UDPPort int
	// Scene is what is drawn, unless File is set: the path of any video file
	// that FFmpeg reads, shown in a loop.
	Scene scene.Options
	File  string
	// Replay is the path of a video file that is sent in a loop as it is coded,
	// which must be H.264, H.265 or MJPEG; it is then that, and nothing else, which is
	// shown.
	Replay string
	// Bitrate is the ceiling in bit/s; 0 chooses by size.
	Bitrate int
	// Preset is x264's; empty means ultrafast.
	Preset string
	// GOP is the time between key frames; 0 means DefaultGOP.
	GOP time.Duration
	// Drawn, if set, is called with the truth of every picture of a scene before
	// it is sent, whether or not it then gets lost. It must not block; its error
	// ends the camera.
	Drawn func(Recorded) error
	Log   *slog.Logger
}

// Camera is a simulated camera that runs. Its methods may be called from any
// goroutine.
type Camera struct {
	o      Options
	log    *slog.Logger
	server *gortsplib.Server
	addr   net.Addr
	cancel context.CancelFunc
	done   chan struct{}
	err    error // why it ended, valid once done is closed
	drop   atomic.Int64
	path   atomic.Pointer[Path]
	late   sync.WaitGroup // packets that are on their way
	jump   atomic.Int64   // by how much the clock is wrong, in nanoseconds
	logins atomic.Uint64  // with a password that is wrong
	silent atomic.Bool
	key    atomic.Bool
	greet  atomic.Int32 // pictures that are to greet a viewer who has come
	frames atomic.Uint64
	start  time.Time // of what is replayed, valid once it is ready
	resize chan scene.Options
	mu     sync.Mutex
	stream *gortsplib.ServerStream
}

// Start starts a camera, which the caller closes. It returns when the camera
// can be connected to. An error that the address is in use wraps
// syscall.EADDRINUSE.
func Start(o Options) (*Camera, error) {
	o.Listen = cmp.Or(o.Listen, DefaultListen)
	o.Path = cmp.Or(o.Path, DefaultPath)
	if o.GOP <= 0 {
		o.GOP = DefaultGOP
	}
	o.Log = cmp.Or(o.Log, slog.Default())
	switch {
	case strings.ContainsAny(o.Path, "/?# "):
		return nil, fmt.Errorf("simulated camera: path %q must be one word without / ? #", o.Path)
	case o.UDPPort%2 != 0 || o.UDPPort < 0 || o.UDPPort > 65534:
		return nil, fmt.Errorf("simulated camera: UDP port %d must be even, from 2 to 65534", o.UDPPort)
	case o.Bitrate < 0:
		return nil, fmt.Errorf("simulated camera: bitrate %d must be positive, or 0 to choose by size", o.Bitrate)
	}
	shots, clip, err := source(o)
	if err != nil {
		return nil, fmt.Errorf("simulated camera: %w", err)
	}
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		shots.close()
		return nil, fmt.Errorf("simulated camera: %w; choose another address with --listen", err)
	}
	c := &Camera{o: o, log: o.Log, addr: ln.Addr(), done: make(chan struct{}), resize: make(chan scene.Options, 1)}
	c.server = &gortsplib.Server{
		Handler: c, RTSPAddress: o.Listen, DisableRTCPSenderReports: true,
		Listen: func(string, string) (net.Listener, error) { return ln, nil },
	}
	if o.UDPPort > 0 {
		host, _, _ := net.SplitHostPort(o.Listen)
		c.server.UDPRTPAddress = net.JoinHostPort(host, fmt.Sprint(o.UDPPort))
		c.server.UDPRTCPAddress = net.JoinHostPort(host, fmt.Sprint(o.UDPPort+1))
	}
	if err := c.server.Start(); err != nil {
		shots.close()
		_ = ln.Close()
		return nil, fmt.Errorf("simulated camera: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	ready := make(chan struct{})
	go func() {
		defer close(c.done)
		defer shots.close()
		if clip != nil {
			c.err = c.replay(ctx, clip, ready)
		} else {
			c.err = c.run(ctx, shots, ready)
		}
	}()
	select {
	case <-ready:
		return c, nil
	case <-c.done:
		c.Close()
		return nil, fmt.Errorf("simulated camera: %w", c.err)
	}
}

// URL is where the camera's stream is, without user and password.
func (c *Camera) URL() string {
	return (&url.URL{Scheme: "rtsp", Host: c.addr.String(), Path: "/" + c.o.Path}).String()
}

// Done is closed when the camera has ended by itself or by Close; Err then says
// why.
func (c *Camera) Done() <-chan struct{} { return c.done }

// Err says why the camera ended; nil after Close.
func (c *Camera) Err() error {
	<-c.done
	return c.err
}

// Close ends the camera and all connections to it, and waits for that.
func (c *Camera) Close() {
	c.cancel()
	<-c.done
	c.late.Wait()
	c.mu.Lock()
	stream := c.stream
	c.stream = nil
	c.mu.Unlock()
	if stream != nil {
		stream.Close()
	}
	c.server.Close()
}

// Drop lets the next n RTP packets be lost.
func (c *Camera) Drop(n int) { c.drop.Store(int64(n)) }

// SetClock sets the camera's clock forward by d: both the timestamps of RTP and
// what its sender reports say step by so much with the next picture.
func (c *Camera) SetClock(d time.Duration) { c.jump.Add(int64(d)) }

// WrongLogins is how many requests came with a user or password that is wrong.
func (c *Camera) WrongLogins() uint64 { return c.logins.Load() }

// Silence stops sending, or goes on; the connection stays.
func (c *Camera) Silence(on bool) { c.silent.Store(on) }

// Keyframe lets the next picture be a key frame.
func (c *Camera) Keyframe() { c.key.Store(true) }

// Reconfigure draws another scene from the next picture on, which may have
// another size: the stream then has a new SPS in its midst.
func (c *Camera) Reconfigure(o scene.Options) { c.resize <- o }

// Frames is how many pictures have been sent.
func (c *Camera) Frames() uint64 { return c.frames.Load() }

// run draws, encodes and sends pictures at their rate. What is late is left
// out: a camera does not slow down.
func (c *Camera) run(ctx context.Context, shots shots, ready chan<- struct{}) error {
	var s *sender
	defer func() {
		if s != nil {
			s.enc.Close()
		}
	}()
	start, base, interval := time.Now(), uint32(0), shots.interval()
	for n := uint32(0); ; n++ {
		if !waitUntil(ctx, start.Add(time.Duration(n-base)*interval)) {
			return nil
		}
		if late := uint32(max(0, time.Since(start)-time.Duration(n-base)*interval) / interval); late > 1 { //nolint:gosec // bounded by time
			n += late
		}
		select {
		case o := <-c.resize:
			next, err := newDrawn(o)
			if err != nil {
				c.log.Warn("scene is not changed", "error", err)
				break
			}
			shots.close()
			shots = next
			start, base, interval = time.Now(), n, shots.interval()
		default:
		}
		captured := time.Now()
		im, err := shots.shoot(n, captured)
		if err != nil {
			return err
		}
		if s == nil || s.width != im.Width || s.height != im.Height {
			if s, err = c.renew(s, im); err != nil {
				return err
			}
		}
		if d, ok := shots.(*drawn); ok && c.o.Drawn != nil {
			err := c.o.Drawn(Recorded{PTS: s.pts(captured), Captured: captured, Width: im.Width, Height: im.Height, Truth: d.truth})
			if err != nil {
				return err
			}
		}
		if err := s.send(c, im, captured); err != nil {
			return err
		}
		if ready != nil {
			close(ready)
			ready = nil
		}
	}
}

// renew makes the encoder for a size, and at first the stream.
func (c *Camera) renew(old *sender, im *yuv.Image) (*sender, error) {
	enc, err := x264.New(x264.Options{
		Width: im.Width, Height: im.Height, Bitrate: c.o.Bitrate, Preset: c.o.Preset, KeyframeInterval: c.o.GOP, FullRange: im.FullRange,
	})
	if err != nil {
		return nil, err
	}
	s := &sender{enc: enc, codec: transport.H264, width: im.Width, height: im.Height}
	if old != nil {
		old.enc.Close()
		next := *old
		next.enc, next.width, next.height = s.enc, s.width, s.height
		return &next, nil
	}
	return s, nil
}

// open announces the stream, once parameter sets are known.
func (c *Camera) open(desc *description.Session) error {
	stream := &gortsplib.ServerStream{Server: c.server, Desc: desc}
	if err := stream.Initialize(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = stream
	return nil
}

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (c *Camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.answer(ctx.Conn, ctx.Request, ctx.Path)
}

// OnSetup implements gortsplib.ServerHandlerOnSetup.
func (c *Camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.answer(ctx.Conn, ctx.Request, ctx.Path)
}

// OnPlay implements gortsplib.ServerHandlerOnPlay. A viewer should not wait
// for a key frame and a sender report.
func (c *Camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	c.greet.Store(greetings)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (c *Camera) answer(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	if c.o.User != "" && !conn.VerifyCredentials(req, c.o.User, c.o.Password) {
		if len(req.Header["Authorization"]) > 0 {
			c.logins.Add(1)
		}
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.Trim(path, "/") != c.o.Path || c.stream == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}
