package config

import (
	"fmt"
	"slices"
	"strings"

	"scrim/transport"
)

// Name is the name of a site or a camera; see transport.CheckName.
type Name string

// UnmarshalText accepts a valid name.
func (n *Name) UnmarshalText(text []byte) error {
	if err := transport.CheckName(string(text)); err != nil {
		return err
	}
	*n = Name(text)
	return nil
}

// Style is how a face is made unrecognisable.
type Style string

// The styles.
const (
	// StyleVeil fills the region from the pixels around it.
	StyleVeil Style = "veil"
	// StyleBlur interpolates between a few coarse cells.
	StyleBlur Style = "blur"
	// StyleMosaic shows a few coarse cells.
	StyleMosaic Style = "mosaic"
	// StyleFill paints one colour.
	StyleFill Style = "fill"
)

// UnmarshalText accepts one of the styles.
func (s *Style) UnmarshalText(text []byte) error {
	return choose(s, text, "style", styles...)
}

// Engine runs the detector's network.
type Engine string

// The engines.
const (
	// EngineAuto is EngineScrim if it can run the model with the processor's vector
	// instructions, otherwise EngineOpenCV.
	EngineAuto Engine = "auto"
	// EngineScrim is Scrim's own engine, for networks of YuNet's kind.
	EngineScrim Engine = "scrim"
	// EngineScrimAVX2 is EngineScrim without AVX-512, to measure the cost on older
	// processors.
	EngineScrimAVX2 Engine = "scrim-avx2"
	// EngineOpenCV is OpenCV's DNN module, which is much slower.
	EngineOpenCV Engine = "opencv"
)

// UnmarshalText accepts one of the engines.
func (e *Engine) UnmarshalText(text []byte) error {
	return choose(e, text, "engine", engines...)
}

// Transport carries a camera's RTP packets.
type Transport string

// The transports.
const (
	// TransportTCP interleaves packets with the RTSP connection (RFC 2326,
	// section 10.12).
	TransportTCP Transport = "tcp"
	// TransportUDP uses separate UDP ports.
	TransportUDP Transport = "udp"
	// TransportMulticast joins the group that the camera sends to.
	TransportMulticast Transport = "multicast"
)

// UnmarshalText accepts one of the transports.
func (t *Transport) UnmarshalText(text []byte) error {
	return choose(t, text, "transport", transports...)
}

// Preset is one of x264's presets that can keep up with live video.
type Preset string

// UnmarshalText accepts the name of a preset.
func (p *Preset) UnmarshalText(text []byte) error {
	return choose(p, text, "preset", presets...)
}

// The choices of each type.
var (
	styles     = []Style{StyleVeil, StyleBlur, StyleMosaic, StyleFill}
	engines    = []Engine{EngineAuto, EngineScrim, EngineScrimAVX2, EngineOpenCV}
	transports = []Transport{TransportTCP, TransportUDP, TransportMulticast}
	presets    = []Preset{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium"}
)

func choose[T ~string](dst *T, text []byte, noun string, known ...T) error {
	if !slices.Contains(known, T(text)) {
		names := make([]string, len(known))
		for i, k := range known {
			names[i] = string(k)
		}
		return fmt.Errorf("invalid %s %q: must be one of %s", noun, clip(text), strings.Join(names, ", "))
	}
	*dst = T(text)
	return nil
}
