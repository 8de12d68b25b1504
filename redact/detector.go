package redact

import (
	"image"

	"scrim/redact/face"
	"scrim/redact/yuv"
)

// Detector finds faces. Package redact/detect implements it.
type Detector interface {
	// Detect returns the faces in im, in pixels of im. Candidates that are too
	// doubtful to count as a face by themselves are marked as weak. An error means
	// that the picture was not inspected, which is not the same as "no faces". Detect
	// is not safe for concurrent use, and does not keep im.
	Detect(im *yuv.Image) ([]face.Face, error)
	// Info describes the detector.
	Info() DetectorInfo
	// Close frees it.
	Close() error
}

// PartDetector is a Detector that can inspect a part of a picture as if it lay in the
// whole. The sight test shows it painted faces, at a small part of the cost.
type PartDetector interface {
	Detector
	// DetectPart returns the faces in part, in pixels of part. The upper left corner of part
	// lies at the point at, with even coordinates, of a picture of width×height pixels. It looks at the part in the same
	// way and at the same scale as Detect at that picture, and does not change what Detect
	// remembers of pictures of that size. It does not keep part.
	DetectPart(part *yuv.Image, at image.Point, width, height int) ([]face.Face, error)
}

// Adapter is a Detector that mends its own copy of pictures that are dark, noisy or low
// in contrast. It measures the pictures of Detect by itself, from time to time.
type Adapter interface {
	// Adapt measures im, a whole picture, at once: DetectPart then mends parts of it as
	// Detect will mend the picture. It does not change or keep im.
	Adapt(im *yuv.Image) error
}

// Resetter is a Detector that remembers pictures, for example to inspect only what
// has changed since.
type Resetter interface {
	// Reset forgets them, so that the next picture is inspected whole.
	Reset()
}

// DetectorInfo describes a detector.
type DetectorInfo struct {
	// Name is the display name, such as "scrim-face 640".
	Name string
	// ModelSHA256 is the hash, in hex, of the bytes that were loaded.
	ModelSHA256 string
	// Weak is set if Detect returns weak candidates.
	Weak bool
	// Warning is what an operator must know; empty for a good detector.
	Warning string
}
