package redact

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"time"

	"scrim/redact/geom"
)

const (
	// MaxInspectionAge is how long after its inspection a picture may be shown.
	MaxInspectionAge = 2 * time.Second
	// MaxLookaheadTime is added if there is look-ahead.
	MaxLookaheadTime = 10 * time.Second
)

// Inspection is the proof that exactly one picture was inspected. A picture
// passes only with the inspection that was made for it.
type Inspection struct {
	Camera string
	// Epoch is the epoch of the decoder, Generation that of the gate.
	Epoch, Generation uint64
	// Picture is the picture's number.
	Picture uint64
	// Complete is set when nothing was lost from the last IDR to the picture.
	Complete      bool
	Width, Height int
	// ModelSHA256 is the hash of the detector's model, in hex.
	ModelSHA256 string
	// Inspected is when the detector pass ended.
	Inspected time.Time
	// MaxAge is how long after Inspected the picture may be shown.
	MaxAge time.Duration
	// RegionsHash is a hash over the obscured regions.
	RegionsHash uint64
}

// inspectionOf returns the inspection of p, which the detector has just examined. The
// hash of the regions is added later.
func inspectionOf(p *Picture, model string, inspected time.Time, maxAge time.Duration) Inspection {
	return Inspection{
		Camera: p.Camera, Epoch: p.Epoch, Generation: p.Generation, Picture: p.Number, Complete: p.Complete,
		Width: p.Image.Width, Height: p.Image.Height,
		ModelSHA256: model, Inspected: inspected, MaxAge: maxAge,
	}
}

// check returns why i is not the inspection of p with these regions; nil: it is.
func (i Inspection) check(p *Picture, model string, now time.Time, regions []geom.Region) error {
	switch {
	case i.Inspected.IsZero():
		return fmt.Errorf("picture %d was not inspected", p.Number)
	case i.Camera != p.Camera || i.Epoch != p.Epoch || i.Generation != p.Generation || i.Picture != p.Number:
		return fmt.Errorf("inspection of picture %s/%d/%d/%d does not belong to picture %s/%d/%d/%d",
			i.Camera, i.Epoch, i.Generation, i.Picture, p.Camera, p.Epoch, p.Generation, p.Number)
	case !i.Complete || !p.Complete:
		return fmt.Errorf("input of picture %d is not complete", p.Number)
	case i.Width != p.Image.Width || i.Height != p.Image.Height:
		return fmt.Errorf("inspection is for %d×%d, picture %d is %d×%d", i.Width, i.Height, p.Number, p.Image.Width, p.Image.Height)
	case i.ModelSHA256 != model:
		return fmt.Errorf("picture %d was inspected by another model", p.Number)
	case !i.fresh(now):
		return fmt.Errorf("inspection of picture %d is %v old", p.Number, now.Sub(i.Inspected).Round(time.Millisecond))
	case i.RegionsHash != hashRegions(regions):
		return fmt.Errorf("regions of picture %d are not those of its inspection", p.Number)
	}
	return nil
}

// fresh reports whether the inspection is recent enough to show the picture now.
func (i Inspection) fresh(now time.Time) bool { return now.Sub(i.Inspected) <= i.MaxAge }

// hashRegions returns the FNV-1a hash over the rectangles and shapes of regions.
func hashRegions(regions []geom.Region) uint64 {
	h := fnv.New64a()
	var b [40]byte
	for _, r := range regions {
		binary.LittleEndian.PutUint64(b[0:], uint64(r.Rect.Min.X))  //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[8:], uint64(r.Rect.Min.Y))  //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[16:], uint64(r.Rect.Max.X)) //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[24:], uint64(r.Rect.Max.Y)) //nolint:gosec // a bit pattern
		binary.LittleEndian.PutUint64(b[32:], 0)
		if s := r.Outline(); s != nil {
			binary.LittleEndian.PutUint64(b[32:], s.Hash())
		}
		_, _ = h.Write(b[:])
	}
	return h.Sum64()
}
