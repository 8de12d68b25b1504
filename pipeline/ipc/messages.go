package ipc

import (
	"fmt"
	"time"

	"scrim/redact/geom"
	"scrim/redact/zone"
	"scrim/transport"
)

// Config is the first message downwards: everything that a redactor needs to know
// about its camera. A redactor reads no file except a detector model that is not
// built in.
type Config struct {
	Site   string `json:"site"`
	Camera string `json:"camera"`
	// Epoch is the first epoch of the redactor; it counts up from there.
	Epoch uint64 `json:"epoch"`
	// Detect is how faces are found.
	Detect DetectConfig `json:"detect"`
	// Rotate is how the camera is turned.
	Rotate RotateConfig `json:"rotate"`
	// Lookahead is the number of pictures by which the output lags, so that a face
	// is covered before it is first found.
	Lookahead int `json:"lookahead,omitempty"`
	// Zones are the parts of the picture with rules of their own.
	Zones []zone.Zone `json:"zones,omitempty"`
	// Obscure is how faces are made unrecognisable.
	Obscure ObscureConfig `json:"obscure"`
	// Cover is what is obscured.
	Cover CoverConfig `json:"cover"`
	// Sight is how small the faces are that must be found, and what happens when they
	// are not.
	Sight SightConfig `json:"sight"`
	// Encode is how the redacted picture is coded.
	Encode EncodeConfig `json:"encode"`
	// HavePreparedSlates is set when the worker already has slates. The redactor then
	// skips coding some at its start, which takes time.
	HavePreparedSlates bool `json:"have_prepared_slates,omitempty"`
	// RequireSandbox makes the redactor refuse to work if a protection does not hold.
	RequireSandbox bool `json:"require_sandbox,omitempty"`
}

// DetectConfig configures the detector.
type DetectConfig struct {
	// Model is the path of the ONNX file; empty: the built-in network ModelName.
	Model string `json:"model"`
	// ModelName is the display name, such as "yunet-n".
	ModelName string `json:"model_name"`
	// SHA256 is the hash, in hex, that the network must have: a redactor of another
	// build may contain a different one. It is empty only for a file chosen by the user.
	SHA256 string `json:"sha256"`
	// Engine runs the model: "auto", "scrim", "scrim-avx2" or "opencv"; empty is "auto".
	Engine string `json:"engine,omitempty"`
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32; pictures are scaled down to it, never up.
	Size int `json:"size"`
	// Threshold is the least score of a face, 0 to 1.
	Threshold float64 `json:"threshold"`
	// Tiles adds passes over parts of the picture at full resolution, for small faces.
	Tiles bool `json:"tiles"`
	// TileAreas are the only parts that get such passes when Tiles is not set: left,
	// top, right and bottom in fractions of the picture.
	TileAreas [][4]float64 `json:"tile_areas,omitempty"`
	// SkipUnchanged inspects only what has changed, and the whole picture once a second.
	SkipUnchanged bool `json:"skip_unchanged"`
}

// RotateConfig says how a camera is turned, and what is turned upright for it. Zones and
// records are always those of the output.
type RotateConfig struct {
	// By is by how much its pictures must be turned to be upright.
	By geom.Rotation `json:"by,omitempty"`
	// View turns the output, too. Otherwise only the detector sees pictures upright.
	View bool `json:"view,omitempty"`
}

// OfPictures is by how much decoded pictures are turned.
func (c RotateConfig) OfPictures() geom.Rotation {
	if c.View {
		return c.By
	}
	return geom.Upright
}

// OfDetector is by how much pictures are turned only for the detector.
func (c RotateConfig) OfDetector() geom.Rotation {
	if c.View {
		return geom.Upright
	}
	return c.By
}

// Turned returns d for pictures that are turned before the detector sees them.
func (d DetectConfig) Turned(r geom.Rotation) DetectConfig {
	areas := d.TileAreas
	d.TileAreas = make([][4]float64, len(areas))
	for i, a := range areas {
		x0, y0 := r.Point(a[0], a[1], 1, 1)
		x1, y1 := r.Point(a[2], a[3], 1, 1)
		d.TileAreas[i] = [4]float64{min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)}
	}
	return d
}

// ObscureConfig configures how regions are made unrecognisable.
type ObscureConfig struct {
	// Style is "veil", "blur", "mosaic" or "fill".
	Style string `json:"style"`
	// Padding is added on the left, right and below, as a fraction of the
	// face's size; PaddingTop above.
	Padding    float64 `json:"padding"`
	PaddingTop float64 `json:"padding_top"`
	// Cells is their number along the longer side of a region, for blur and mosaic.
	Cells int `json:"cells"`
	// Cosmetic allows settings that can be undone.
	Cosmetic bool `json:"cosmetic"`
}

// CoverConfig configures what is obscured.
type CoverConfig struct {
	// Mode is "faces", "people" or "motion"; empty is "faces".
	Mode string `json:"mode,omitempty"`
	// Absorb is how long what stands still stays covered before it counts as background;
	// 0: forever.
	Absorb time.Duration `json:"absorb,omitempty"`
}

// SightConfig configures the sight test.
type SightConfig struct {
	// NeedPixels is the height in pixels from which on faces must be found; 0: NeedPercent
	// of the picture's height.
	NeedPixels  int     `json:"need_pixels,omitempty"`
	NeedPercent float64 `json:"need_percent,omitempty"`
	// WhenBlind is what happens while they are not: "motion", "slate" or "warn"; empty
	// is "motion".
	WhenBlind string `json:"when_blind,omitempty"`
	// Interval is the time between two sight tests.
	Interval time.Duration `json:"interval,omitempty"`
}

// EncodeConfig configures the encoder.
type EncodeConfig struct {
	// Bitrate is the maximum in bit/s; 0: chosen by picture size.
	Bitrate int `json:"bitrate"`
	// Preset is x264's, such as "ultrafast".
	Preset string `json:"preset"`
	// KeyframeInterval is the longest time between key frames.
	KeyframeInterval time.Duration `json:"keyframe_interval"`
}

// Unit returns the access unit of the camera in a message of TypeUnit. The error
// wraps ErrProtocol.
func (m *Message) Unit() (transport.CameraUnit, error) {
	u := transport.CameraUnit{Data: m.Body}
	if err := m.Decode(&u); err != nil {
		return u, err
	}
	if !u.Codec.Known() {
		return u, fmt.Errorf("%w: unit of codec %s", ErrProtocol, u.Codec)
	}
	return u, nil
}

// Input tells the redactor why no units come, for the slate. The next unit ends it.
type Input struct {
	Reason string `json:"reason"`
}

// Keyframe requests a key frame.
type Keyframe struct {
	// Fence is a barrier number, which grows; 0: none. Everything whose coding begins
	// after the redactor has read it carries the number in Output.Fence and
	// Snapshot.Fence. So the worker recognises what is older.
	Fence uint64 `json:"fence,omitempty"`
}

// SnapshotRequest requests a Snapshot.
type SnapshotRequest struct{}

// SnapshotInterval is the minimum time between two requested Snapshots.
const SnapshotInterval = time.Second

// Snapshot is the head of a JPEG of the frame that was coded last, redacted picture or
// slate; the body is its data.
type Snapshot struct {
	transport.Snapshot
	// Unit is the Record.Unit of the picture; 0 for a slate.
	Unit uint64 `json:"unit,omitempty"`
	// Fence is the barrier number of the frame; see Keyframe.
	Fence uint64 `json:"fence,omitempty"`
}

// PreparedSlate is the head of a slate that was coded in advance; the body is its data,
// which decodes by itself. The worker shows it when the redactor cannot send a slate.
type PreparedSlate struct {
	Kind SlateKind `json:"kind"`
	// Snapshot is set for a JPEG; there is one of each kind.
	Snapshot bool `json:"snapshot,omitempty"`
	// Part counts the slates of a kind from 0. They are shown in turn, because
	// decoders may drop the second of two equal key frames.
	Part   int    `json:"part"`
	Codec  string `json:"codec"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// SlateKind is what a PreparedSlate shows.
type SlateKind string

// The kinds of prepared slates.
const (
	SlateStarting SlateKind = "starting" // a redactor is starting, for the first time or again
	SlateHang     SlateKind = "hang"     // the redactor does not respond
	SlateFailed   SlateKind = "failed"   // the redactor cannot work with its configuration
	SlateOffline  SlateKind = "offline"  // the camera has sent nothing so far
)

// SlateKinds are all kinds of prepared slates.
var SlateKinds = []SlateKind{SlateStarting, SlateHang, SlateFailed, SlateOffline}

// SlateParts is the number of slates of each kind, apart from the snapshot.
const SlateParts = 2

// HeartbeatInterval is the time between two Heartbeats.
const HeartbeatInterval = 100 * time.Millisecond

// Heartbeat shows that the redactor is alive.
type Heartbeat struct {
	// Encoding is how long the encoder has been working on one picture, in
	// nanoseconds; 0: it is idle. Nothing can be sent meanwhile.
	Encoding int64 `json:"encoding,omitempty"`
}

// Hello is the first message upwards: the redactor is ready.
type Hello struct {
	// Detector is the name of the detector, such as "yunet-n".
	Detector string `json:"detector"`
	// ModelSHA256 is the hash of the bytes that were loaded, in hex.
	ModelSHA256 string `json:"model_sha256"`
	// Warning is what an operator must know, such as that the detector is slow.
	Warning string `json:"warning,omitempty"`
	// Sandbox lists the protections and whether they hold.
	Sandbox Sandbox `json:"sandbox,omitempty"`
}

// Output is the head of a redacted access unit; the body is its data.
type Output struct {
	transport.RedactedUnit
	Fault transport.Fault `json:"fault,omitempty"`
	// Unproved is why it is not proved that the detector sees in the picture that is
	// shown, or hidden behind a slate; empty: it is, or there is no picture.
	Unproved transport.BlindReason `json:"unproved,omitempty"`
	// Fence is the last barrier number that the redactor had read when coding began;
	// see Keyframe.
	Fence uint64 `json:"fence,omitempty"`
	// Record is the inspection record of a picture; nil for a slate.
	Record *Record `json:"record,omitempty"`
	// Counts are the counters of the redactor at this moment.
	Counts Counts `json:"counts"`
	// SelfTest is the last self-test; nil: none yet.
	SelfTest *SelfTest `json:"self_test,omitempty"`
	// Sight is what is known of the camera's sight, without faces. It is sent once a
	// second, and when Proved or Why change; nil: nothing new.
	Sight *transport.Sight `json:"sight,omitempty"`
}

// SelfTest is the result of a self-test, which passes a drawn face through detector
// and obscurer.
type SelfTest struct {
	At int64 `json:"at"` // Unix time, ns
	// Failure is why it failed; empty when it passed.
	Failure string `json:"failure,omitempty"`
}

// Record is the inspection record of a picture: the proof that it was inspected.
type Record struct {
	// Picture counts the pictures of one redactor process from 1.
	Picture uint64 `json:"picture"`
	// Unit is the number of the access unit that it was decoded from.
	Unit uint64 `json:"unit,omitempty"`
	// Arrived is when the last packet of that unit arrived; Unix time, ns.
	Arrived int64 `json:"arrived"`
	// Inspected is when its detector pass ended; Unix time, ns.
	Inspected int64               `json:"inspected"`
	Regions   []geom.RegionRecord `json:"regions"`
	Stages    Stages              `json:"stages"`
}

// Stages are how long the stages took for one picture, in nanoseconds.
type Stages struct {
	// Queue is the time from arrival to the start of decoding; Wait is the time in
	// queues between the later stages.
	Queue  int64 `json:"queue"`
	Decode int64 `json:"decode"`
	Wait   int64 `json:"wait"`
	// Sight is the time for judging the detector's sight, Motion for comparing the
	// picture with the background.
	Sight   int64 `json:"sight,omitempty"`
	Detect  int64 `json:"detect"`
	Motion  int64 `json:"motion,omitempty"`
	Track   int64 `json:"track"`
	Obscure int64 `json:"obscure"`
	Encode  int64 `json:"encode"`
	// CPU is the CPU time of the redactor process so far.
	CPU int64 `json:"cpu"`
	// Allocated is how many bytes the process has allocated for Go objects so far,
	// without the allocations of C libraries.
	Allocated uint64 `json:"allocated"`
}

// Counts are the counters of a redactor since its start.
type Counts struct {
	UnitsDropped     uint64 `json:"units_dropped"`
	PicturesDropped  uint64 `json:"pictures_dropped"`
	PicturesWithheld uint64 `json:"pictures_withheld"`
}

// Failure is the last message of a redactor that cannot continue.
type Failure struct {
	// Reason is one line: what failed, why, and what to do.
	Reason string `json:"reason"`
	// Permanent is set when trying again cannot help, for example because the model
	// is corrupt.
	Permanent bool `json:"permanent"`
}
