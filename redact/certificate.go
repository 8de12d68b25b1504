package redact

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"scrim/redact/face"
)

// Certificate is the proof that exactly one picture was inspected. A picture
// passes only with the certificate that was made for it; see check.
type Certificate struct {
	Camera      string
	Epoch       uint64
	Picture     uint64
	Complete    bool
	Width       int
	Height      int
	ModelSHA256 string
	// Inspected is when the detector pass ended.
	Inspected time.Time
	// RegionsHash is over the regions that were obscured.
	RegionsHash uint64
}

// hashRegions returns the FNV-1a hash over the rectangles of regions.
func hashRegions(regions []face.Region) uint64 {
	h := fnv.New64a()
	var b [32]byte
	for _, r := range regions {
		binary.LittleEndian.PutUint64(b[0:], uint64(r.Rect.Min.X))  //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[8:], uint64(r.Rect.Min.Y))  //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[16:], uint64(r.Rect.Max.X)) //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[24:], uint64(r.Rect.Max.Y)) //nolint:gosec // a bit pattern
		_, _ = h.Write(b[:])
	}
	return h.Sum64()
}
