package probe

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"scrim/redact/geom"
	"scrim/transport/rtsp"
	"scrim/transport/rtsp/streaminfo"
)

// WriteText prints the report as text.
func (r *Report) WriteText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(key string, values ...string) {
		values = keep(values)
		if len(values) > 0 {
			fmt.Fprintf(t, "%s\t%s\n", key, strings.Join(values, ", "))
		}
	}
	line("stream", r.URL)
	if r.Address != "" {
		line("reachable", r.Address, r.tls())
		line("server", r.Server)
		line("login", r.logins()...)
	}
	line("tracks", r.tracks()...)
	if s := r.Stream; s != nil {
		line("video", codec(s), size(s))
		line("measured", measured(s)...)
		line("key frames", keyFrames(s)...)
		line("pictures", pictures(s)...)
		line("parameter sets", r.sets(s)...)
		line("packets", packets(s, r.Transport)...)
		line("clock", clock(s)...)
		line("faces", r.Faces.text()...)
	}
	if d := r.Device; d != nil {
		line("device", d.Manufacturer, d.Model, label("firmware ", d.Firmware), label("serial ", d.Serial))
		line("ONVIF", d.Address, d.clock())
		for _, p := range d.Profiles {
			values := []string{p.Name, fmt.Sprintf("%s %d×%d", p.Encoding, p.Width, p.Height)}
			if p.FPS > 0 {
				values = append(values, fmt.Sprintf("%g pictures/s", p.FPS))
			}
			if p.Bitrate > 0 {
				values = append(values, fmt.Sprintf("%d kbit/s", p.Bitrate))
			}
			line("profile", values...)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for i, p := range r.Problems {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n    → %s\n", p.Weight, p.What, p.Do)
	}
	if r.YAML == "" {
		_, err := fmt.Fprintf(w, "\n%s\n", r.NoYAML)
		return err
	}
	_, err := fmt.Fprintf(w, "\nconfiguration for scrim.yaml:\n\n%s", r.YAML)
	return err
}

// text lists how many faces lie which way.
func (f *Faces) text() (out []string) {
	if f == nil {
		return nil
	}
	for _, r := range geom.Rotations {
		switch n := f.Turned[r]; {
		case n > 0 && r == geom.Upright:
			out = append(out, fmt.Sprintf("%d upright", n))
		case n > 0:
			out = append(out, fmt.Sprintf("%d if turned by %d°", n, r))
		}
	}
	if out == nil {
		out = []string{"none"}
	}
	return append(out, fmt.Sprintf("in %d pictures", f.Pictures))
}

func keep(values []string) (out []string) {
	for _, v := range values {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}

func label(l, value string) string {
	if value == "" {
		return ""
	}
	return l + value
}

func (r *Report) tls() string {
	if r.TLS == nil {
		return "TCP, not encrypted"
	}
	trust := "trusted"
	if r.TLS.Problem != "" {
		trust = "not trusted"
	}
	return fmt.Sprintf("%s, certificate of %s, valid until %s (%s), SHA-256 %s",
		r.TLS.Version, r.TLS.Subject, r.TLS.NotAfter.Format(time.DateOnly), trust, r.TLS.Fingerprint)
}

func (r *Report) logins() (out []string) {
	realms := map[string]bool{}
	for _, l := range r.Logins {
		s := l.Scheme
		if l.QOP {
			s += " (qop)"
		}
		out = append(out, s)
		if l.Realm != "" && !realms[l.Realm] {
			realms[l.Realm] = true
			out = append(out, fmt.Sprintf("realm %q", l.Realm))
		}
	}
	return append(out, r.Login)
}

func (r *Report) tracks() (out []string) {
	for _, t := range r.Tracks {
		out = append(out, strings.TrimSpace(t.Kind+" "+t.Codec))
	}
	return out
}

func codec(s *streaminfo.Stream) string {
	return strings.TrimSpace(s.Codec + " " + s.Profile + label(" level ", s.Level))
}

func size(s *streaminfo.Stream) string {
	if s.Width == 0 {
		return "size unknown"
	}
	return fmt.Sprintf("%d×%d", s.Width, s.Height)
}

func measured(s *streaminfo.Stream) []string {
	out := []string{fmt.Sprintf("%.1f pictures/s over %.1f s", s.FPS, s.Seconds), rate(s.Bitrate), fmt.Sprintf("longest gap %.0f ms", 1000*s.LongestGap)}
	if s.SPSFPS > 0 {
		out = append(out, fmt.Sprintf("%.4g pictures/s by the SPS", s.SPSFPS))
	}
	return out
}

func rate(bits int) string {
	if bits >= 1_000_000 {
		return fmt.Sprintf("%.2f Mbit/s", float64(bits)/1e6)
	}
	return fmt.Sprintf("%d kbit/s", bits/1000)
}

func keyFrames(s *streaminfo.Stream) []string {
	switch {
	case s.GOP == 0:
		return []string{fmt.Sprintf("%d within %.1f s", s.KeyFrames, s.Seconds)}
	case s.GOPAtLeast:
		return []string{
			fmt.Sprintf("%d within %.1f s", s.KeyFrames, s.Seconds), fmt.Sprintf("at least %d pictures apart", s.GOP), fmt.Sprintf("%.2f s", s.GOPSeconds),
		}
	}
	return []string{fmt.Sprintf("every %d pictures", s.GOP), fmt.Sprintf("%.2f s", s.GOPSeconds)}
}

func pictures(s *streaminfo.Stream) []string {
	out := []string{"no B frames"}
	if s.BFrames || s.Reordered {
		out[0] = "B frames"
	}
	switch s.Slices {
	case 0:
	case 1:
		out = append(out, "1 slice each")
	default:
		out = append(out, fmt.Sprintf("up to %d slices each", s.Slices))
	}
	return out
}

func (r *Report) sets(s *streaminfo.Stream) []string {
	var out []string
	if r.SetsInDescription {
		out = append(out, "in the session description")
	}
	if s.InBand {
		out = append(out, "in the stream")
	}
	if out == nil && (s.Codec == "H264" || s.Codec == "H265") {
		return []string{"none"}
	}
	return out
}

func packets(s *streaminfo.Stream, t rtsp.Transport) []string {
	out := []string{fmt.Sprintf("%d over %s", s.Packets, strings.ToUpper(string(t))), fmt.Sprintf("%d lost (%.2g %%)", s.Lost, 100*s.Loss())}
	if s.Late > 0 {
		out = append(out, fmt.Sprintf("%d out of order", s.Late))
	}
	return out
}

func clock(s *streaminfo.Stream) []string {
	switch {
	case s.Reports == 0:
		return []string{fmt.Sprintf("no sender report within %.1f s", s.Seconds)}
	case !s.ClockSet:
		return []string{"sender reports without a time"}
	}
	return []string{fmt.Sprintf("%d sender reports", s.Reports), ahead(s.ClockAhead)}
}

func (d *Device) clock() string {
	if !d.ClockSet {
		return ""
	}
	// ONVIF reports whole seconds.
	if math.Abs(d.ClockAhead) < 2 {
		return "its clock agrees with this machine's"
	}
	return "its clock is " + ahead(math.Round(d.ClockAhead))
}
