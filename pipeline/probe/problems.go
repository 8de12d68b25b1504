package probe

import (
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

// What is still good.
const (
	// maxGOP: after a loss nothing is shown until the next key frame.
	maxGOP = 4 * time.Second
	// maxClockError: beyond it times of capture are not believed (see transport/rtsp).
	maxClockError = 10 * time.Second
	minFPS        = 5
	// maxRateError is what the rate by timestamps may differ from the real one.
	maxRateError    = 0.1
	certificateEnds = 30 * 24 * time.Hour
	// maxReason bounds what is quoted of a failure, in bytes.
	maxReason = 160
)

func (p *prober) problem(w Weight, what, do string) {
	p.r.Problems = append(p.r.Problems, Problem{w, what, do})
}

// judge finds the problems; err is what ended the survey.
func (p *prober) judge(err error) {
	if err != nil {
		p.failed(err)
	}
	p.judgeLogin()
	if s := p.r.Stream; s != nil {
		p.judgeCodec(s)
		p.judgeStream(s)
		p.judgeClock(s)
	}
	for _, t := range p.r.Tracks {
		if t.Kind == "audio" || t.Kind == "back channel" {
			p.problem(Note, "the camera also sends "+strings.TrimSpace(t.Kind+" "+t.Codec),
				"nothing: Scrim never asks for it; turn the microphone off if nobody needs it")
			break
		}
	}
	order := []Weight{Fatal, Warning, Note}
	slices.SortStableFunc(p.r.Problems, func(a, b Problem) int { return slices.Index(order, a.Weight) - slices.Index(order, b.Weight) })
}

// failed says why there is no stream.
func (p *prober) failed(err error) {
	what, do := err.Error(), "correct the target"
	var e *rtsp.Error
	switch {
	case errors.Is(err, errStranger):
		what, do = p.r.TLS.Problem, otherAdvice
	case errors.As(err, &e):
		what, do = e.Reason, e.Advice
	case errors.Is(err, rtsp.ErrCredentials) && p.refused:
		what, do = "the camera refuses user or password (by ONVIF), so they were not tried again", "correct them; if ONVIF has users of its own, give the RTSP URL"
	case errors.Is(err, rtsp.ErrCredentials):
		what, do = "the camera asks for user and password", "give --user and --password"
	case p.r.URL == "" && p.r.Address != "":
		do = "give the RTSP URL; the camera's manual names its path"
	}
	if do == "" {
		do = "correct the camera's settings"
	}
	p.problem(Fatal, what, do)
}

func (p *prober) judgeLogin() {
	r := p.r
	digest := slices.ContainsFunc(r.Logins, func(l rtsp.Login) bool { return strings.HasPrefix(l.Scheme, "Digest") })
	switch {
	case r.Open:
		p.problem(Warning, "everyone in its network may watch this camera without a password", "set a user and password in the camera")
	case len(r.Logins) > 0 && !digest && r.TLS == nil && !p.o.AllowBasic:
		p.problem(Warning, "the camera offers only Basic authentication, which sends the password in the clear",
			"turn on Digest or RTSPS in the camera; only where that is impossible set allow_basic")
	}
	if t := r.TLS; t != nil && !p.stranger {
		if t.Problem != "" {
			p.problem(Warning, "its certificate is not trusted: "+t.Problem, pinAdvice(t.Fingerprint))
		}
		if time.Until(t.NotAfter) < certificateEnds {
			p.problem(Warning, "its certificate ends on "+t.NotAfter.Format(time.DateOnly), "renew it")
		}
	}
	if d := r.Device; d != nil && d.Missing != "" && !p.refused {
		p.problem(Note, "ONVIF does not say all: "+d.Missing, "see whether the camera has users of its own for ONVIF")
	}
}

// judgeDevice says whose certificate ONVIF has shown in vain.
func (p *prober) judgeDevice(address string, e *onvif.CertificateError) {
	p.certificate = true
	if e.Pinned {
		p.stranger = true
		p.problem(Fatal, "ONVIF at "+address+": "+e.Reason, otherAdvice+"; --onvif none leaves ONVIF out")
		return
	}
	p.problem(Warning, fmt.Sprintf("ONVIF at %s is not asked, because its certificate is not trusted: %s; its SHA-256 is %s",
		address, transport.Plain(e.Reason, maxReason), e.Fingerprint), pinAdvice(e.Fingerprint))
}

// otherAdvice is never to pin the certificate that came: whoever stands between shows
// that.
const otherAdvice = "see whether somebody stands between; if the camera has a new certificate, read its fingerprint at the camera itself and give that"

// pinAdvice is for a certificate where none is pinned.
func pinAdvice(fingerprint string) string {
	return "see that the camera itself shows the same fingerprint and probe again with --fingerprint " + fingerprint +
		"; or name the authority that vouches for it with --ca"
}

// judgeCodec says what the codec costs and asks the allow list of the redactor.
func (p *prober) judgeCodec(s *streaminfo.Stream) {
	codec := transport.H264
	switch s.Codec {
	case "H264":
	case "H265":
		codec = transport.H265
		p.problem(Note, "the video is H.265, which takes about a quarter more processor time to decode than H.264",
			"nothing; where processor time is short choose H.264 in the camera's video settings")
	case "JPEG":
		p.problem(Note, "the video is MJPEG, which takes several times the bit rate of H.264 and ends at 2040 pixels",
			"nothing; where the network is short choose H.264 in the camera's video settings")
		return // what is in its pictures is seen when they come
	default:
		p.problem(Fatal, "the video is "+s.Codec, "choose H.264, H.265 or MJPEG in the camera's video settings")
		return
	}
	if s.SPS == nil {
		p.problem(Warning, "no sequence parameter set has come, in the description or with the pictures", "look for longer (--for 30s), or restart the camera")
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
		p.problem(Fatal, fmt.Sprintf("%d packets and %d pictures came", s.Packets, s.Pictures),
			"see whether the camera shows a picture elsewhere, or look for longer with --for")
		return
	case s.FPS < minFPS:
		p.problem(Note, fmt.Sprintf("%.1f pictures a second", s.FPS), "raise the frame rate: people who cross the view quickly are in few pictures")
	}
	if s.TimestampFPS > 0 && math.Abs(s.TimestampFPS/s.FPS-1) > maxRateError && s.Lost == 0 {
		p.problem(Warning, fmt.Sprintf("%.1f pictures/s come, and %.1f by their timestamps", s.FPS, s.TimestampFPS),
			"restart the camera; its network may be overloaded")
	}
	switch {
	case s.KeyFrames == 0:
		p.problem(Warning, fmt.Sprintf("no key frame within %.1f s", s.Seconds),
			"set the key-frame interval (GOP, I-frame interval) to 1 or 2 s and turn smart codecs (H.264+) off: nothing is shown before the first")
	case s.GOPSeconds > maxGOP.Seconds(), s.GOP == 0 && s.Seconds > maxGOP.Seconds():
		what := fmt.Sprintf("key frames are up to %.1f s apart", s.GOPSeconds)
		if s.GOP == 0 {
			what = fmt.Sprintf("%d key frames within %.1f s; the loss of packets may have taken others", s.KeyFrames, s.Seconds)
		} else if s.GOPAtLeast {
			what = fmt.Sprintf("key frames are %.1f s apart or more", s.GOPSeconds)
		}
		p.problem(Warning, what,
			"set the key-frame interval to 1 or 2 s and turn smart codecs (H.264+) off: after a lost packet nothing is shown until the next")
	}
	if s.Lost > 0 {
		p.problem(Warning, fmt.Sprintf("%d of %d packets were lost (%.2g %%), and with them the pictures until the next key frame",
			s.Lost, s.Lost+s.Packets, 100*s.Loss()),
			"look at cables, switches and bit rate; use TCP")
	}
	if s.BFrames || s.Reordered {
		p.problem(Warning, "the camera sends B pictures, which delay the video", "turn B frames off (of H.264, choose Baseline)")
	}
	if s.Slices > bitstream.MaxSlices {
		p.problem(Fatal, fmt.Sprintf("%d slices a picture, more than %d", s.Slices, bitstream.MaxSlices), "lower the number of slices in the camera")
	}
	if s.MarkerWithin {
		p.problem(Note, "the marker bit does not mean a picture's end", "nothing: each picture is known to be whole one picture later")
	}
	if s.Sources > 1 {
		p.problem(Warning, "the camera restarted its stream while it was looked at", "see whether it does that again; restart it or update its firmware")
	}
	if s.Codec != "JPEG" && !s.InBand && !p.r.SetsInDescription && s.KeyFrames > 0 {
		p.problem(Fatal, "there are no parameter sets, so no decoder can begin", "restart the camera, or update its firmware")
	}
}

func (p *prober) judgeClock(s *streaminfo.Stream) {
	far := func(ahead float64) bool { return math.Abs(ahead) > maxClockError.Seconds() }
	switch {
	case s.Reports > 0 && !s.ClockSet:
		p.problem(Note, "the camera has no clock: its sender reports say no time", "set an NTP server in the camera; until then the time of arrival is used")
	case s.ClockSet && far(s.ClockAhead):
		p.problem(Warning, "the camera's clock is "+ahead(s.ClockAhead), "set an NTP server in the camera; until then the time of arrival is used")
	case s.Reports == 0 && p.r.Device != nil && p.r.Device.ClockSet && far(p.r.Device.ClockAhead):
		p.problem(Warning, "the camera's clock is "+ahead(p.r.Device.ClockAhead), "set an NTP server in the camera")
	}
}

// ahead says how far a clock is ahead.
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
