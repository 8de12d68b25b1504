package rtsp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"scrim/transport"
	"scrim/transport/rtsp/streaminfo"
)

// Survey is what a stream turned out to be like.
type Survey struct {
	// URL is where the stream is, after redirects, as it may be shown.
	URL string
	// Transport is how the packets came.
	Transport Transport
	// Server is the camera's own name for its RTSP server.
	Server string
	// Tracks are all that the camera offers.
	Tracks []Track
	// SetsInDescription is set when the session description holds parameter sets.
	SetsInDescription bool
	// Stream is what was measured of the track that Run would take, else of the first
	// video track.
	Stream streaminfo.Stream
}

// Survey connects once, of whatever codec the video is, and looks at its packets
// for a time; 0 only reads the description. It logs in at most once. The error is
// an *Error, or ctx's; what was found out before is returned with it.
func (c *Client) Survey(ctx context.Context, d time.Duration) (*Survey, error) {
	u, proto := c.url, c.cfg.Transport
	if proto == TransportAuto {
		proto = TransportTCP
	}
	for redirects := 0; ; {
		s := newSurveyor(c, u, proto)
		fail := s.run(ctx, d)
		switch {
		case ctx.Err() != nil:
			return &s.found, ctx.Err()
		case fail != nil && s.redirect != nil && redirects < maxRedirects:
			u, redirects = s.redirect, redirects+1
		case fail != nil && s.transportRefused && proto == TransportTCP && c.cfg.Transport == TransportAuto:
			proto = TransportUDP
		default:
			return &s.found, fail
		}
	}
}

// meterNames are the codecs' names in package streaminfo.
var meterNames = map[transport.Codec]string{transport.H264: "H264", transport.H265: "H265", transport.MJPEG: "JPEG"}

// surveyor is a session that looks at packets in place of assembling pictures.
type surveyor struct {
	*session
	found Survey
	sets  [][]byte
	codec string

	meter *streaminfo.Meter
	first chan struct{} // closed at the first packet
	once  sync.Once
}

func newSurveyor(c *Client, u *base.URL, proto Transport) *surveyor {
	s := &surveyor{session: newSession(c, u, proto, nil), first: make(chan struct{})}
	s.found.URL, s.found.Transport = redact(u), proto
	s.gc.OnResponse = s.onResponse
	// Packets of a new SSRC count as well; gortsplib drops them, and the stall shows.
	s.gc.OnDecodeError = func(error) {}
	return s
}

func (s *surveyor) onResponse(res *base.Response) {
	if v := res.Header["Server"]; len(v) > 0 && s.found.Server == "" {
		s.found.Server = quote(v[0])
	}
	body, ok := res.Body, s.method == base.Describe && res.StatusCode == base.StatusOK
	s.session.onResponse(res)
	if !ok {
		return
	}
	s.found.Tracks = readTracks(body)
	if s.desc.SDP != nil {
		s.codec, s.sets = meterNames[s.desc.Codec], slices.Concat(s.desc.Sets[:]...)
		s.found.SetsInDescription = s.desc.Sets.Complete(s.desc.Codec)
		return
	}
	if sdp, codec := describeOther(body); sdp != nil {
		s.codec, res.Body = codec, sdp
	}
}

// run connects, measures and cleans up.
func (s *surveyor) run(ctx context.Context, d time.Duration) error {
	if err := s.gc.Start2(); err != nil {
		return s.failure(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.gc.Wait() }()
	err := s.measure(ctx, d, ended)
	s.gc.Close()
	<-ended //nolint:errcheck // why it ended is known by now
	if s.meter != nil {
		s.found.Stream = s.meter.Result()
	}
	if err == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // the caller asked for the end
	}
	return s.failure(err)
}

func (s *surveyor) measure(ctx context.Context, d time.Duration, ended chan error) error {
	// gortsplib's requests know no context: end them by closing.
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.gc.Close()
		close(closed)
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()
	desc, _, err := s.gc.Describe(s.url)
	if err != nil {
		return err
	}
	if s.codec == "" || d == 0 {
		return nil
	}
	media := desc.Medias[0]
	if u, err := media.URL(desc.BaseURL); err != nil || u == nil {
		return errors.New("the description names its track by something that is no URL")
	}
	if _, err = s.gc.Setup(desc.BaseURL, media, 0, 0); err != nil {
		return err
	}
	s.meter = streaminfo.NewMeter(s.codec, s.sets...)
	s.gc.OnPacketRTP(media, media.Formats[0], func(p *rtp.Packet) {
		s.meter.Push(p, time.Now())
		s.once.Do(func() { close(s.first) })
	})
	s.gc.OnPacketRTCP(media, func(p rtcp.Packet) { s.meter.Report(p, time.Now()) })
	if _, err = s.gc.Play(nil); err != nil {
		return err
	}
	return s.listen(ctx, d, ended)
}

// listen waits for the time to pass, counted from the first packet.
func (s *surveyor) listen(ctx context.Context, d time.Duration, ended chan error) error {
	timer := time.NewTimer(s.client.cfg.StallTimeout)
	defer timer.Stop()
	first := s.first
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
