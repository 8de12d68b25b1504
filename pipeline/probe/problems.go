package probe

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"scrim/pipeline/bitstream"
	"scrim/transport"
	"scrim/transport/onvif"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/streaminfo"
)

// Limits beyond which a value is a problem.
const (
	// maxGOP is the longest key-frame interval: after a loss, no picture is shown until the next key frame.
	maxGOP = 4 * time.Second
	// maxClockError is the error up to which capture times are used (see transport/rtsp).
	maxClockError = 10 * time.Second
	minFPS        = 5
	// maxRateError is the largest relative difference between the rate by timestamps and the real one.
	maxRateError    = 0.1
	certificateEnds = 30 * 24 * time.Hour
	// maxReason bounds a quoted reason, in bytes.
	maxReason = 160
)

func (p *prober) problem(w Weight, what, do string) {
	p.r.Problems = append(p.r.Problems, Problem{w, what, do})
}

// judge finds the problems; err is the error that ended the measurement.
func (p *prober) judge(err error) {
	if err != nil {
		p.failed(err)
	}
	p.judgeLogin()
	if s := p.r.Stream; s != nil {
		p.judgeCodec(s)
		p.judgeStream(s)
		p.judgeClock(s)
		p.judgeFaces()
	}
	for _, t := range p.r.Tracks {
		if t.Kind == "audio" || t.Kind == "back channel" {
			p.problem(Note, "the camera also sends "+strings.TrimSpace(t.Kind+" "+t.Codec),
				"no action needed: Scrim does not request it; disable the microphone if it is unused")
			break
		}
	}
	order := []Weight{Fatal, Warning, Note}
	slices.SortStableFunc(p.r.Problems, func(a, b Problem) int { return slices.Index(order, a.Weight) - slices.Index(order, b.Weight) })
}

// failed adds the problem that kept the stream from being measured.
func (p *prober) failed(err error) {
	what, do := err.Error(), "check the target"
	var e *rtsp.Error
	switch {
	case errors.Is(err, errNotPinned):
		what, do = p.r.TLS.Problem, otherAdvice
	case errors.As(err, &e):
		what, do = e.Reason, e.Advice
	case errors.Is(err, rtsp.ErrCredentials) && p.refused:
		what, do = "the camera rejected user or password over ONVIF, so they were not tried over RTSP", "correct them; if ONVIF has separate users, use the RTSP URL"
	case errors.Is(err, rtsp.ErrCredentials):
		what, do = "the camera requires user and password", "use --user and --password"
	case p.r.URL == "" && p.r.Address != "":
		do = "use the RTSP URL; the camera's manual has its path"
	}
	p.problem(Fatal, what, cmp.Or(do, "check the camera's settings"))
}

func (p *prober) judgeLogin() {
	r := p.r
	digest := slices.ContainsFunc(r.Logins, func(l rtsp.Login) bool { return strings.HasPrefix(l.Scheme, "Digest") })
	switch {
	case r.Open:
		p.problem(Warning, "anyone on its network can watch this camera without a password", "set a user and password in the camera")
	case len(r.Logins) > 0 && !digest && r.TLS == nil && !p.o.AllowBasic:
		p.problem(Warning, "the camera offers only Basic authentication, which sends the password in the clear",
			"enable Digest or RTSPS in the camera; set allow_basic only if that is impossible")
	}
	if t := r.TLS; t != nil && !p.notPinned {
		if t.Problem != "" {
			p.problem(Warning, "its certificate is not trusted: "+t.Problem, pinAdvice(t.Fingerprint))
		}
		if time.Until(t.NotAfter) < certificateEnds {
			p.problem(Warning, "its certificate expires on "+t.NotAfter.Format(time.DateOnly), "renew it")
		}
	}
	if d := r.Device; d != nil && d.Missing != "" && !p.refused {
		p.problem(Note, "ONVIF data is incomplete: "+d.Missing, "check whether the camera has separate users for ONVIF")
	}
}

// judgeDevice adds the problem of an ONVIF certificate that was rejected.
func (p *prober) judgeDevice(address string, e *onvif.CertificateError) {
	p.certificate = true
	if e.Pinned {
		p.notPinned = true
		p.problem(Fatal, "ONVIF at "+address+": "+e.Reason, otherAdvice+"; --onvif none skips ONVIF")
		return
	}
	p.problem(Warning, fmt.Sprintf("ONVIF at %s was skipped, because its certificate is not trusted: %s; its SHA-256 is %s",
		address, transport.Plain(e.Reason, maxReason), e.Fingerprint), pinAdvice(e.Fingerprint))
}

// otherAdvice never suggests to pin the certificate that was received: it may belong
// to a man in the middle.
const otherAdvice = "check for a man in the middle; if the camera has a new certificate, read its fingerprint on the camera itself and use that"

// pinAdvice is the advice if no certificate is pinned.
func pinAdvice(fingerprint string) string {
	return "compare the fingerprint with the one on the camera itself, and probe again with --fingerprint " + fingerprint +
		"; or pass the authority that signed it with --ca"
}

// judgeCodec notes the cost of the codec and checks the redactor's allow list.
func (p *prober) judgeCodec(s *streaminfo.Stream) {
	codec := transport.H264
	switch s.Codec {
	case "H264":
	case "H265":
		codec = transport.H265
		p.problem(Note, "the video is H.265, which needs about a quarter more CPU time to decode than H.264",
			"no action needed; to save CPU time, choose H.264 in the camera's video settings")
	case "JPEG":
		p.problem(Note, "the video is MJPEG, which needs several times the bit rate of H.264 and is limited to 2040 pixels",
			"no action needed; to save bandwidth, choose H.264 in the camera's video settings")
		return // its pictures are checked when they are decoded
	default:
		p.problem(Fatal, "unsupported codec "+s.Codec, "choose H.264, H.265 or MJPEG in the camera's video settings")
		return
	}
	if s.SPS == nil {
		p.problem(Warning, "no sequence parameter set, neither in the session description nor in the stream", "measure longer (--for 30s), or restart the camera")
		return
	}
	_, err := bitstream.Inspect(codec, append([]byte{0, 0, 0, 1}, s.SPS...))
	if err != nil {
		p.problem(Fatal, err.Error(), "change the camera's video settings")
	}
}

func (p *prober) judgeStream(s *streaminfo.Stream) {
	switch {
	case s.Pictures < 2:
		p.problem(Fatal, fmt.Sprintf("received %d packets and %d pictures", s.Packets, s.Pictures),
			"check that other viewers get a picture, or measure longer with --for")
		return
	case s.FPS < minFPS:
		p.problem(Note, fmt.Sprintf("low frame rate: %.1f pictures/s", s.FPS), "raise the frame rate: people who cross the view quickly appear in few pictures")
	}
	if s.TimestampFPS > 0 && math.Abs(s.TimestampFPS/s.FPS-1) > maxRateError && s.Lost == 0 {
		p.problem(Warning, fmt.Sprintf("received %.1f pictures/s, but %.1f by their timestamps", s.FPS, s.TimestampFPS),
			"restart the camera; its network may be overloaded")
	}
	switch {
	case s.KeyFrames == 0:
		p.problem(Warning, fmt.Sprintf("no key frame within %.1f s", s.Seconds),
			"set the key-frame interval (GOP, I-frame interval) to 1 or 2 s and disable smart codecs (H.264+): no picture is shown before the first key frame")
	case s.GOPSeconds > maxGOP.Seconds(), s.GOP == 0 && s.Seconds > maxGOP.Seconds():
		what := fmt.Sprintf("key frames are up to %.1f s apart", s.GOPSeconds)
		if s.GOP == 0 {
			what = fmt.Sprintf("%d key frames within %.1f s; others may have been lost with packets", s.KeyFrames, s.Seconds)
		} else if s.GOPAtLeast {
			what = fmt.Sprintf("key frames are at least %.1f s apart", s.GOPSeconds)
		}
		p.problem(Warning, what,
			"set the key-frame interval to 1 or 2 s and disable smart codecs (H.264+): after a lost packet, no picture is shown until the next key frame")
	}
	if s.Lost > 0 {
		p.problem(Warning, fmt.Sprintf("%d of %d packets were lost (%.2g %%), and with them all pictures until the next key frame",
			s.Lost, s.Lost+s.Packets, 100*s.Loss()),
			"check cables, switches and bit rate; use TCP")
	}
	if s.BFrames || s.Reordered {
		p.problem(Warning, "the camera sends B frames, which delay the video", "disable B frames (in H.264, choose the Baseline profile)")
	}
	if s.Slices > bitstream.MaxSlices {
		p.problem(Fatal, fmt.Sprintf("%d slices per picture, more than %d", s.Slices, bitstream.MaxSlices), "lower the number of slices in the camera")
	}
	if s.MarkerWithin {
		p.problem(Note, "the marker bit is set within pictures", "no action needed; a picture is only known to be complete when the next one starts")
	}
	if s.Sources > 1 {
		p.problem(Warning, "the camera restarted its stream during the measurement", "probe again; if it recurs, restart the camera or update its firmware")
	}
	if s.Codec != "JPEG" && !s.InBand && !p.r.SetsInDescription && s.KeyFrames > 0 {
		p.problem(Fatal, "no parameter sets, so no decoder can start", "restart the camera, or update its firmware")
	}
}

func (p *prober) judgeClock(s *streaminfo.Stream) {
	far := func(ahead float64) bool { return math.Abs(ahead) > maxClockError.Seconds() }
	switch {
	case s.Reports > 0 && !s.ClockSet:
		p.problem(Note, "the camera has no clock: its sender reports have no time", "set an NTP server in the camera; until then, the time of arrival is used")
	case s.ClockSet && far(s.ClockAhead):
		p.problem(Warning, "the camera's clock is "+ahead(s.ClockAhead), "set an NTP server in the camera; until then, the time of arrival is used")
	case s.Reports == 0 && p.r.Device != nil && p.r.Device.ClockSet && far(p.r.Device.ClockAhead):
		p.problem(Warning, "the camera's clock is "+ahead(p.r.Device.ClockAhead), "set an NTP server in the camera")
	}
}

// ahead describes how far a clock is ahead or behind.
func ahead(seconds float64) string {
	d := time.Duration(math.Abs(seconds) * float64(time.Second))
	switch {
	case d >= 10*time.Second:
		d = d.Round(time.Second)
	default:
		d = d.Round(time.Millisecond)
	}
	if seconds < 0 {
		return d.String() + " behind this machine's"
	}
	return d.String() + " ahead of this machine's"
}
