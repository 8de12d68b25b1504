package rtsp

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scrim/transport"
	"scrim/transport/rtsp/depacketize"
	"scrim/transport/rtsp/streaminfo"
)

// Analysis describes a stream.
type Analysis struct {
	// URL is the stream's address after redirects, without credentials.
	URL string
	// Transport carried the packets.
	Transport Transport
	// Server is the camera's own name for its RTSP server.
	Server string
	// Tracks are all tracks that the camera offers.
	Tracks []Track
	// SetsInDescription is set if the session description holds all parameter sets.
	SetsInDescription bool
	// Stream has the measurements of the track that Run would receive, or else of the
	// first video track.
	Stream streaminfo.Stream
}

// Analyze connects once and measures the packets of the video, whatever its codec,
// for a duration; 0 only reads the description. It logs in at most once. units, if not nil,
// gets the access units of a codec that Run would receive, from another goroutine until
// Analyze returns. The error is an *Error, or ctx's; the results up to then are returned
// with it.
func (c *Client) Analyze(ctx context.Context, d time.Duration, units func(transport.CameraUnit)) (*Analysis, error) {
	var a *analyzer
	err := c.connect(ctx, func(u *base.URL, proto Transport) (*session, error) {
		a = newAnalyzer(c, u, proto)
		a.passUnit = units
		return a.session, a.run(ctx, d)
	})
	return &a.result, err
}

// meterNames are the codecs' names in package streaminfo.
var meterNames = map[transport.Codec]string{transport.H264: "H264", transport.H265: "H265", transport.MJPEG: "JPEG"}

// analyzer is a session that measures packets instead of assembling pictures.
type analyzer struct {
	*session
	result Analysis
	sets   [][]byte
	codec  string

	// passUnit gets the units; nil: nobody wants them, or no more can be assembled.
	passUnit func(transport.CameraUnit)

	meter *streaminfo.Meter
	first chan struct{} // closed at the first packet
	once  sync.Once
}

func newAnalyzer(c *Client, u *base.URL, proto Transport) *analyzer {
	a := &analyzer{session: newSession(c, u, proto, nil), first: make(chan struct{})}
	a.result.URL, a.result.Transport = redact(u), proto
	a.gc.OnResponse = a.onResponse
	// gortsplib drops the packets of a new SSRC; the result shows that as a stall.
	a.gc.OnDecodeError = func(error) {}
	return a
}

func (a *analyzer) onResponse(res *base.Response) {
	if v := res.Header["Server"]; len(v) > 0 && a.result.Server == "" {
		a.result.Server = quote(v[0])
	}
	body, ok := res.Body, a.method == base.Describe && res.StatusCode == base.StatusOK
	a.session.onResponse(res)
	if !ok {
		return
	}
	a.result.Tracks = readTracks(body)
	if a.desc.SDP != nil {
		a.codec, a.sets = meterNames[a.desc.Codec], slices.Concat(a.desc.Sets[:]...)
		a.result.SetsInDescription = a.desc.Sets.Complete(a.desc.Codec)
		return
	}
	if sdp, codec := describeOther(body); sdp != nil {
		a.codec, res.Body = codec, sdp
	}
}

// run connects and measures.
func (a *analyzer) run(ctx context.Context, d time.Duration) error {
	err := a.connect(ctx, func(ctx context.Context, ended chan error) error { return a.measure(ctx, d, ended) })
	if a.meter != nil {
		a.result.Stream = a.meter.Result()
	}
	if err == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // the caller asked for the end
	}
	return a.failure(err)
}

func (a *analyzer) measure(ctx context.Context, d time.Duration, ended chan error) error {
	desc, _, err := a.gc.Describe(a.url)
	if err != nil || a.codec == "" || d == 0 {
		return err
	}
	media, err := a.setup(desc)
	if err != nil {
		return err
	}
	a.meter = streaminfo.NewMeter(a.codec, a.sets...)
	a.assemble()
	a.gc.OnPacketRTP(media, media.Formats[0], func(p *rtp.Packet) {
		now := time.Now()
		a.meter.Push(p, now)
		if a.passUnit != nil && a.asm.Push(p, now) != nil {
			a.passUnit = nil
		}
		a.once.Do(func() { close(a.first) })
	})
	a.gc.OnPacketRTCP(media, func(p rtcp.Packet) { a.meter.Report(p, time.Now()) })
	if _, err = a.gc.Play(nil); err != nil {
		return err
	}
	return a.listen(ctx, d, ended)
}

// assemble prepares to pass units on.
func (a *analyzer) assemble() {
	if a.desc.SDP == nil { // another codec
		a.passUnit = nil
	}
	if a.passUnit != nil {
		a.asm = depacketize.New(a.desc.Codec, a.desc.Sets, slog.New(slog.DiscardHandler), a.passUnit)
	}
}

// listen waits until d has passed since the first packet.
func (a *analyzer) listen(ctx context.Context, d time.Duration, ended chan error) error {
	timer := time.NewTimer(a.client.cfg.StallTimeout)
	defer timer.Stop()
	first := a.first
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			ended <- err
			return err
		case <-first:
			first = nil
			timer.Reset(d)
		case <-timer.C:
			if first != nil {
				return errSilent
			}
			return nil
		}
	}
}
