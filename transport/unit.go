package transport

import (
	"fmt"
	"strconv"
	"time"

	"scrim/redact/geom"
)

// ClockRate is the rate of every PTS in Scrim: 90 kHz, as RTP uses it for
// video (RFC 6184, section 8.2.1).
const ClockRate = 90000

// MaxUnitBytes bounds a coded access unit, in bytes, in either direction. A larger one
// is refused before any decoder reads it.
const MaxUnitBytes = 4 << 20

// MaxSide bounds the width and height of pictures, in pixels.
const MaxSide = 8192

// MaxCodecBytes bounds RedactedUnit.Codec.
const MaxCodecBytes = 32

// CheckCodec checks a codec string of RFC 6381.
func CheckCodec(codec string) error {
	if codec == "" || len(codec) > MaxCodecBytes {
		return fmt.Errorf("codec %.40q is not within 1 to %d bytes", codec, MaxCodecBytes)
	}
	for _, c := range []byte(codec) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' {
			return fmt.Errorf("codec %q is not a codec string", codec)
		}
	}
	return nil
}

// Codec names the coding of a camera's access units.
type Codec string

// The codecs that cameras may send.
const (
	// H264 is ITU-T H.264 in Annex B byte-stream form.
	H264 Codec = "h264"
	// H265 is ITU-T H.265 (HEVC) in Annex B byte-stream form.
	H265 Codec = "h265"
	// MJPEG is one baseline JPEG image (ITU-T T.81) a picture, coded by the Huffman
	// tables of its annex K.3, which are left out (RFC 2435).
	MJPEG Codec = "mjpeg"
)

// codecNames are the codecs as people know them.
var codecNames = map[Codec]string{H264: "H.264", H265: "H.265", MJPEG: "MJPEG"}

// Known reports whether c is one of the codecs that Scrim accepts.
func (c Codec) Known() bool { return codecNames[c] != "" }

// String names the codec as people know it; one that is not Known is quoted, as
// somebody else may have chosen it.
func (c Codec) String() string {
	if name := codecNames[c]; name != "" {
		return name
	}
	return strconv.Quote(string(c))
}

// CameraUnit is one coded access unit exactly as a camera sent it. It holds
// raw biometric data: it is handed to the redactor's pipe and to nothing else.
// The bus accepts only a RedactedUnit, so it cannot publish one.
type CameraUnit struct {
	// Number counts the units of a camera from 1. The worker assigns it.
	Number uint64 `json:"number,omitempty"`
	// Codec of Data.
	Codec Codec `json:"codec"`
	// PTS is the presentation time in 90 kHz ticks, unwrapped from the RTP
	// timestamp. Only differences mean something.
	PTS int64 `json:"pts"`
	// Captured is the wall-clock time of capture from RTCP sender reports
	// (RFC 3550, section 6.4.1) where they are sane, else Arrived.
	Captured time.Time `json:"captured"`
	// Arrived is when the last packet of the unit arrived.
	Arrived time.Time `json:"arrived"`
	// Gap is what is missing between the previous unit and this one, or within
	// this one; the zero Gap: nothing.
	Gap Gap `json:"gap,omitzero"`
	// Provisional is set while only the marker bit indicates that Data is whole. The
	// next unit confirms it: when that has no Gap, the marker was right. Nothing
	// made from a provisional unit may be shown before that. The redactor is not told.
	Provisional bool `json:"-"`
	// Data is the access unit in the form of its Codec. The receiver owns it.
	Data []byte `json:"-"`
}

// Gap is missing or doubtful input before a unit. Code decides by Kind only; Text
// may come from a camera.
type Gap struct {
	Kind GapKind `json:"kind,omitempty"`
	// Text describes the gap to people in a few words, such as "packet loss (3 packets)".
	Text string `json:"text,omitempty"`
	// Intact is set when the unit behind the gap is itself known to be whole, from
	// its first packet to its last. An intact IDR can be trusted at once; otherwise
	// decoding waits for the next one.
	Intact bool `json:"intact,omitempty"`
}

// GapKind is the cause of a Gap.
type GapKind string

// The kinds of gaps.
const (
	// GapNone: nothing is missing.
	GapNone GapKind = ""
	// GapConnected: the unit is the first of a connection.
	GapConnected GapKind = "connected"
	// GapLoss: input was lost, damaged, repeated or reordered.
	GapLoss GapKind = "loss"
	// GapLate: the worker dropped units because the redactor was late.
	GapLate GapKind = "late"
	// GapRestarted: another redactor process received the units before.
	GapRestarted GapKind = "restarted"
)

// RedactedUnit is one coded access unit that the redactor made. It is the only
// kind that may leave the worker.
type RedactedUnit struct {
	// Camera is the camera's name; it is bound to the encoder that made Data.
	Camera string `json:"-"`
	// Rendition names which of a camera's outputs this is, such as "main".
	Rendition string `json:"-"`
	// Epoch grows with each new encoder (start, change of size).
	Epoch uint64 `json:"epoch"`
	// Seq numbers the units of an epoch from 1 without gaps.
	Seq uint64 `json:"seq"`
	// PTS is the presentation time in 90 kHz ticks; it never decreases within
	// a camera's life.
	PTS int64 `json:"pts"`
	// Captured is the wall-clock time of capture.
	Captured time.Time `json:"captured"`
	// Key is set if decoding can start here: the unit contains SPS, PPS and IDR.
	Key bool `json:"key,omitempty"`
	// Codec is the codec string of RFC 6381, such as "avc1.42c01f".
	Codec string `json:"codec"`
	// Width and Height are the picture's size in pixels.
	Width  int `json:"width"`
	Height int `json:"height"`
	// State is StateLive for a redacted picture, StateObscured or StateOffline for a slate,
	// and StateBlind for either.
	State State `json:"state"`
	// Reason says why State is not StateLive.
	Reason string `json:"reason,omitempty"`
	// CoveredBy is what hides people in the unit of a camera that is live or blind.
	CoveredBy CoveredBy `json:"-"`
	// Regions are the rectangles that were obscured. The Source of one is empty
	// if it is not known. None has a Shape. The redactor sends them in its record.
	Regions []geom.Region `json:"-"`
	// Data is the access unit in Annex B form. Readers must not change it.
	Data []byte `json:"-"`
}

// IsSlate reports whether the unit shows no picture of the camera.
func (u *RedactedUnit) IsSlate() bool {
	return u.State != StateLive && u.State != StateBlind || u.CoveredBy == CoveredBySlate
}

// MainRendition is the rendition that every camera has.
const MainRendition = "main"
