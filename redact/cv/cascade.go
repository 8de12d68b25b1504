package cv

import (
	"errors"
	"fmt"
	"image"

	"golang.org/x/sys/unix"

	"gocv.io/x/gocv"
)

// Cascade is a Viola–Jones classifier (P. Viola and M. Jones, "Rapid Object
// Detection using a Boosted Cascade of Simple Features", CVPR 2001). It is not
// safe for concurrent use.
type Cascade struct {
	c    gocv.CascadeClassifier
	open bool
}

// ReadCascade returns the classifier in the bytes of one of OpenCV's XML files,
// which the caller closes. OpenCV reads files only, so it gets one in memory
// that holds exactly these bytes.
func ReadCascade(xml []byte) (*Cascade, error) {
	if len(xml) == 0 {
		return nil, errors.New("cascade is empty")
	}
	fd, err := unix.MemfdCreate("cascade", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for a cascade: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	for rest := xml; len(rest) > 0; {
		n, err := unix.Write(fd, rest)
		if err != nil {
			return nil, fmt.Errorf("memory for a cascade: %w", err)
		}
		rest = rest[n:]
	}
	c := &Cascade{c: gocv.NewCascadeClassifier(), open: true}
	if !c.c.Load(fmt.Sprintf("/proc/self/fd/%d", fd)) {
		c.Close()
		return nil, errors.New("OpenCV cannot read the cascade")
	}
	return c, nil
}

// Detect returns what the classifier finds in a plane of luma, as rectangles
// of at least minSize samples a side.
func (c *Cascade) Detect(luma Plane, scale float64, neighbours, minSize int) ([]image.Rectangle, error) {
	switch {
	case !c.open:
		return nil, fmt.Errorf("cascade: %w", ErrClosed)
	case scale <= 1 || neighbours < 0 || minSize < 0:
		return nil, fmt.Errorf("cascade settings scale %v, neighbours %d, smallest %d are out of bounds", scale, neighbours, minSize)
	}
	var found []image.Rectangle
	err := luma.lend(func(m gocv.Mat) error {
		found = c.c.DetectMultiScaleWithParams(m, scale, neighbours, 0, image.Pt(minSize, minSize), image.Point{})
		return nil
	})
	return found, err
}

// Close frees the classifier; a second call does nothing.
func (c *Cascade) Close() {
	if c.open {
		_ = c.c.Close()
		c.open = false
	}
}
