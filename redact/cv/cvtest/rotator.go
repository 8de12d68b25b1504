package cvtest

import (
	"fmt"

	"gocv.io/x/gocv"

	"scrim/redact/geom"
)

// Rotator turns planes. It is not safe for concurrent use.
type Rotator struct {
	dst  gocv.Mat
	flag gocv.RotateFlag
}

// NewRotator returns a Rotator that turns by r, which the caller closes.
func NewRotator(r geom.Rotation) (*Rotator, error) {
	flag, ok := map[geom.Rotation]gocv.RotateFlag{
		geom.Turned90: gocv.Rotate90Clockwise, geom.Turned180: gocv.Rotate180Clockwise, geom.Turned270: gocv.Rotate90CounterClockwise,
	}[r]
	if !ok {
		return nil, fmt.Errorf("OpenCV does not turn by %d degrees", int(r))
	}
	return &Rotator{dst: gocv.NewMat(), flag: flag}, nil
}

// Turn returns src turned, without padding between rows. It is valid until the next call.
func (r *Rotator) Turn(src Plane) ([]byte, error) {
	if err := src.lend(func(m gocv.Mat) error { gocv.Rotate(m, &r.dst, r.flag); return nil }); err != nil {
		return nil, err
	}
	return r.dst.DataPtrUint8()
}

// Close frees the memory.
func (r *Rotator) Close() { _ = r.dst.Close() }
