package ipc

import (
	"fmt"
	"time"

	"scrim/redact/geom"
	"scrim/transport"
)

// Config is the first message downwards. It tells a redactor all that it needs
// to know about its camera. The redactor reads no file, except for a detector's
// model that is not built in.
type Config struct {
	Site   string `json:"site"`
	Camera string `json:"camera"`
	// Epoch is the first epoch that the redactor may use. It counts up from there.
	Epoch uint64 `json:"epoch"`
	// Detect says how faces are found.
	Detect DetectConfig `json:"detect"`
	// Lookahead is by how many pictures the output lags, so that a face is
	// covered before it was first found.
	Lookahead int `json:"lookahead,omitempty"`
	// Zones are the parts of the picture that the operator has said something
	// about.
	Zones []ZoneConfig `json:"zones,omitempty"`
	// Obscure says how they are made unrecognisable.
	Obscure ObscureConfig `json:"obscure"`
	// Encode says how the redacted picture is coded.
	Encode EncodeConfig `json:"encode"`
	// HavePreparedSlates says that the worker has slates already: those of the start, which
	// take time to code, need not be made.
	HavePreparedSlates bool `json:"have_prepared_slates,omitempty"`
	// RequireSandbox lets the redactor refuse to work when a protection does not
	// hold.
	RequireSandbox bool `json:"require_sandbox,omitempty"`
}

// ZoneConfig is a part of the picture that is always obscured, where small faces
// are to be expected, or where nothing needs finding.
type ZoneConfig struct {
	// Kind is "mask", "tiles" or "ignore".
	Kind string `json:"kind"`
	Name string `json:"name,omitempty"`
	// Reason is why nothing needs finding there, such as "public_display".
	Reason string `json:"reason,omitempty"`
	// Polygon is its corners: x and y in fractions of the frame.
	Polygon [][2]float64 `json:"polygon"`
}

// DetectConfig says how faces are found.
type DetectConfig struct {
	// Model is the path of the ONNX file; empty: the network of that name that is
	// built into the redactor.
	Model string `json:"model"`
	// ModelName is its name for people, such as "yunet-n".
	ModelName string `json:"model_name"`
	// SHA256 is the hash, in hex, that the network must have: a redactor of another
	// build may have another one. It is empty only when the user named the file
	// himself.
	SHA256 string `json:"sha256"`
	// Engine is what runs the model: "auto", "scrim", "scrim-avx2" or "opencv"; empty is "auto".
	Engine string `json:"engine,omitempty"`
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32; pictures are scaled down to it, never up.
	Size int `json:"size"`
	// Threshold is the score from which on a candidate counts as a face, 0 to 1.
	Threshold float64 `json:"threshold"`
	// Tiles adds passes over parts of the picture in their own size, for small
	// faces.
	Tiles bool `json:"tiles"`
	// TileAreas are where small faces are to be expected, without Tiles: left,
	// top, right and bottom in fractions of the picture.
	TileAreas [][4]float64 `json:"tile_areas,omitempty"`
	// SkipUnchanged inspects only what has changed, and everything once a second.
	SkipUnchanged bool `json:"skip_unchanged"`
}

// ObscureConfig says how regions are made unrecognisable.
type ObscureConfig struct {
	// Style is "veil", "blur", "mosaic" or "fill".
	Style string `json:"style"`
	// Padding is added on the left, right and below, as a fraction of the
	// face's size; PaddingTop above.
	Padding    float64 `json:"padding"`
	PaddingTop float64 `json:"padding_top"`
	// Cells along the longer side of a region, for blur and mosaic.
	Cells int `json:"cells"`
	// Cosmetic admits settings that can be undone.
	Cosmetic bool `json:"cosmetic"`
}

// EncodeConfig says how the redacted picture is coded.
type EncodeConfig struct {
	// Bitrate is the ceiling in bit/s; 0 chooses by picture size.
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

// Input tells the redactor that no pictures come, and why, so that the slate
// can say so. The next Unit ends it.
type Input struct {
	Reason string `json:"reason"`
}

// Keyframe asks for a key frame.
type Keyframe struct {
	// Fence, when not 0, is what Output.Fence is from here on.
	Fence uint64 `json:"fence,omitempty"`
}

// SnapshotRequest asks for a Snapshot.
type SnapshotRequest struct{}

// SnapshotInterval is the least time between two Shots that were asked for.
const SnapshotInterval = time.Second

// Snapshot is the head of a JPEG of the frame that was coded last, redacted picture or
// slate; the body is its data.
type Snapshot struct {
	Captured int64 `json:"captured"` // Unix time, ns
	// Unit is as that of a picture's Record; 0 for a slate.
	Unit   uint64          `json:"unit,omitempty"`
	Width  int             `json:"width"`
	Height int             `json:"height"`
	State  transport.State `json:"state"`
	Reason string          `json:"reason,omitempty"`
	// Fence is as that of an Output.
	Fence uint64 `json:"fence,omitempty"`
}

// PreparedSlate is the head of a slate that was coded beforehand; the body is its data,
// which can be decoded by itself. The worker shows it when the redactor cannot
// send one.
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
	SlateHang     SlateKind = "hang"     // the redactor does not answer
	SlateFailed   SlateKind = "failed"   // the redactor cannot work as it is set up
	SlateOffline  SlateKind = "offline"  // the camera has sent nothing so far
)

// SlateKinds are all kinds of prepared slates.
var SlateKinds = []SlateKind{SlateStarting, SlateHang, SlateFailed, SlateOffline}

// SlateParts is the number of slates of each kind, apart from the snapshot.
const SlateParts = 2

// HeartbeatInterval is the time between two Heartbeats.
const HeartbeatInterval = 100 * time.Millisecond

// Heartbeat says that the redactor lives.
type Heartbeat struct {
	// Encoding is for how long the encoder has been at one picture, in
	// nanoseconds; 0: at none. Nothing can be sent meanwhile.
	Encoding int64 `json:"encoding,omitempty"`
}

// Hello is the first message upwards: the redactor is ready.
type Hello struct {
	// Detector is the detector's name, such as "yunet-n".
	Detector string `json:"detector"`
	// ModelSHA256 is the hash of the bytes that were loaded, in hex.
	ModelSHA256 string `json:"model_sha256"`
	// Warning is what an operator must know, such as that the detector is slow.
	Warning string `json:"warning,omitempty"`
	// Sandbox says which protections hold.
	Sandbox Sandbox `json:"sandbox,omitempty"`
}

// Output is the head of a redacted access unit; the body is its data.
type Output struct {
	Epoch    uint64          `json:"epoch"`
	Seq      uint64          `json:"seq"`
	PTS      int64           `json:"pts"`
	Captured int64           `json:"captured"` // Unix time, ns
	Key      bool            `json:"key,omitempty"`
	Codec    string          `json:"codec"`
	Width    int             `json:"width"`
	Height   int             `json:"height"`
	State    transport.State `json:"state"`
	Reason   string          `json:"reason,omitempty"`
	Fault    transport.Fault `json:"fault,omitempty"`
	// Fence is that of the last Keyframe that had one when coding began: what was
	// coded before the worker set it is told by that.
	Fence uint64 `json:"fence,omitempty"`
	// Record is the inspection record of a picture; nil for a slate.
	Record *Record `json:"record,omitempty"`
	// Counts are the redactor's counters at this moment.
	Counts Counts `json:"counts"`
	// SelfTest is the last self-test; nil: none yet.
	SelfTest *SelfTest `json:"self_test,omitempty"`
}

// SelfTest is the result of a self-test: a drawn face went through detector and
// obscurer.
type SelfTest struct {
	At int64 `json:"at"` // Unix time, ns
	// Failure is why it failed; empty when it passed.
	Failure string `json:"failure,omitempty"`
}

// Record is a picture's inspection record: the proof that it was looked at.
type Record struct {
	// Picture is the number of the picture in the redactor's life, from 1.
	Picture uint64 `json:"picture"`
	// Unit is the number of the access unit that it was decoded from.
	Unit uint64 `json:"unit,omitempty"`
	// Arrived is when its access unit had come whole; Unix time, ns.
	Arrived int64 `json:"arrived"`
	// Inspected is when the detector pass it rests on ended; Unix time, ns.
	Inspected int64         `json:"inspected"`
	Regions   []geom.Region `json:"regions"`
	Stages    Stages        `json:"stages"`
}

// Stages are what one picture cost, in nanoseconds.
type Stages struct {
	// Queue is from arrival to the start of decoding; Wait is the time between
	// the stages below, when the picture lay in a queue.
	Queue   int64 `json:"queue"`
	Decode  int64 `json:"decode"`
	Wait    int64 `json:"wait"`
	Detect  int64 `json:"detect"`
	Track   int64 `json:"track"`
	Obscure int64 `json:"obscure"`
	Encode  int64 `json:"encode"`
	// CPU is the CPU time of the redactor process so far.
	CPU int64 `json:"cpu"`
	// Allocated is how many bytes the process has allocated so far for Go objects;
	// what C libraries allocate is not in it.
	Allocated uint64 `json:"allocated"`
}

// Counts are the redactor's counters since its start.
type Counts struct {
	UnitsDropped     uint64 `json:"units_dropped"`
	PicturesDropped  uint64 `json:"pictures_dropped"`
	PicturesWithheld uint64 `json:"pictures_withheld"`
}

// Failure is the last message of a redactor that cannot go on.
type Failure struct {
	// Reason is one line that says what failed, why and what to do.
	Reason string `json:"reason"`
	// Permanent is set when trying again cannot help, such as when the model
	// is corrupt.
	Permanent bool `json:"permanent"`
}
