package config

import (
	"scrim/models"
	"scrim/redact/geom"
	"scrim/redact/zone"
	"scrim/transport"
)

// The schema of each type, as far as a schema can express its rules.

func (Name) schema() *Schema {
	return &Schema{Type: "string", Pattern: "^[a-z0-9][a-z0-9_-]*$", MaxLength: transport.MaxNameBytes}
}

func (Model) schema() *Schema {
	known := models.Known()
	names := append(make([]Model, 0, 1+len(known)), ModelAuto)
	for _, m := range known {
		names = append(names, Model(m.Name))
	}
	return &Schema{AnyOf: []*Schema{oneOf(names), {Type: "string", Pattern: `/|\.onnx$`}}}
}

func (Style) schema() *Schema     { return oneOf(styles) }
func (Engine) schema() *Schema    { return oneOf(engines) }
func (Transport) schema() *Schema { return oneOf(transports) }
func (Preset) schema() *Schema    { return oneOf(presets) }
func (ZoneKind) schema() *Schema  { return oneOf(zone.Kinds()) }
func (ZoneReason) schema() *Schema {
	return oneOf(zone.Reasons())
}

func (Duration) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`}
}

func (Cover) schema() *Schema     { return oneOf(covers) }
func (WhenBlind) schema() *Schema { return oneOf(whenBlinds) }
func (Need) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^[0-9]+px$|^[0-9.]+%$`}
}

func (AbsorbTime) schema() *Schema {
	return &Schema{AnyOf: []*Schema{Duration(0).schema(), within("integer", 0, 0)}}
}

func (SightInterval) schema() *Schema { return Duration(0).schema() }

func (Bitrate) schema() *Schema {
	return &Schema{AnyOf: []*Schema{
		{Type: "string", Pattern: `^(auto|[0-9.]+ *[Mk]?bit/s)$`},
		within("integer", MinBitrate, MaxBitrate),
	}}
}

func (DetectSize) schema() *Schema {
	s := within("integer", minDetectSize, maxDetectSize)
	s.MultipleOf = detectStride
	return s
}

func (Rotation) schema() *Schema {
	s := within("integer", float64(geom.Upright), float64(geom.Turned270))
	s.MultipleOf = float64(geom.Turned90)
	return s
}

func (Lookahead) schema() *Schema { return within("integer", 0, MaxLookahead) }
func (Threshold) schema() *Schema { return within("number", minThreshold, maxThreshold) }
func (Padding) schema() *Schema   { return within("number", 0, maxPadding) }
func (Cells) schema() *Schema     { return within("integer", 1, maxCells) }
func (Port) schema() *Schema      { return within("integer", 0, maxPort) }
func (Count) schema() *Schema     { return within("integer", 1, MaxSessions) }
func (Fraction) schema() *Schema  { return within("number", 0, 1) }

func (CameraURL) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^[Rr][Tt][Ss][Pp][Ss]?://[^#]+$`, MaxLength: maxURLBytes}
}

func (Origin) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^(\*|https?://[^/?#]+)$`, MaxLength: maxURLBytes}
}

func (Address) schema() *Schema { return &Schema{Type: "string", Pattern: `^[^ /@]*:[0-9]+$`} }

func (NATSURLs) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^ *(nats|tls)://[^/?#@]+$|,`, MaxLength: maxURLBytes}
}

func (ICEURL) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^(stuns?|turns?):[^/@#]+$`, MaxLength: maxURLBytes}
}

func (Secret) schema() *Schema { return &Schema{Type: "string", Pattern: `^(env|file):.+$`} }

func (Fingerprint) schema() *Schema {
	return &Schema{Type: "string", Pattern: `^ *([Ss][Hh][Aa]256:)?([0-9A-Fa-f]{2}:?){32} *$`}
}

func (CertificateFile) schema() *Schema { return &Schema{Type: "string"} }

func (VendorName) schema() *Schema { return &Schema{Type: "string"} }

// oneOf is the schema of an enumeration.
func oneOf[T ~string](list []T) *Schema {
	return &Schema{Type: "string", Enum: words[string](list)}
}

// within is the schema of a number in a range.
func within(kind string, least, most float64) *Schema {
	return &Schema{Type: kind, Minimum: &least, Maximum: &most}
}
