package config

import (
	"fmt"
	"slices"
	"strings"

	"scrim/transport"
)

// Name is the name of a site or a camera; see transport.CheckName.
type Name string

// UnmarshalText takes a name that is allowed.
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
	// StyleBlur smooths a few coarse cells.
	StyleBlur Style = "blur"
	// StyleMosaic shows a few coarse cells.
	StyleMosaic Style = "mosaic"
	// StyleFill paints one colour.
	StyleFill Style = "fill"
)

// UnmarshalText takes one of the styles.
func (s *Style) UnmarshalText(text []byte) error {
	return choose(s, text, "style", styles...)
}

// Engine is what runs the detector's network.
type Engine string

// The engines.
const (
	// EngineAuto is EngineScrim where it can run the model with the processor's vector
	// instructions, else EngineOpenCV.
	EngineAuto Engine = "auto"
	// EngineScrim is Scrim's own, for networks of YuNet's kind.
	EngineScrim Engine = "scrim"
	// EngineScrimAVX2 is EngineScrim without AVX-512, to measure what older processors
	// take.
	EngineScrimAVX2 Engine = "scrim-avx2"
	// EngineOpenCV is OpenCV's DNN module: slower by far.
	EngineOpenCV Engine = "opencv"
)

// UnmarshalText takes one of the engines.
func (e *Engine) UnmarshalText(text []byte) error {
	return choose(e, text, "engine", engines...)
}

// Transport is how RTP packets come from a camera.
type Transport string

// The transports.
const (
	// TransportTCP interleaves packets with the RTSP connection (RFC 2326,
	// section 10.12).
	TransportTCP Transport = "tcp"
	// TransportUDP uses ports of their own.
	TransportUDP Transport = "udp"
	// TransportMulticast joins the group that the camera sends to.
	TransportMulticast Transport = "multicast"
)

// UnmarshalText takes one of the transports.
func (t *Transport) UnmarshalText(text []byte) error {
	return choose(t, text, "transport", transports...)
}

// Preset is one of x264's presets that can keep up with live video.
type Preset string

// UnmarshalText takes one of x264's names.
func (p *Preset) UnmarshalText(text []byte) error {
	return choose(p, text, "preset", presets...)
}

// What there is to choose from.
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
		return fmt.Errorf("%q is no %s; it is one of %s", clip(text), noun, strings.Join(names, ", "))
	}
	*dst = T(text)
	return nil
}
