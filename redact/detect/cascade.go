package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"path/filepath"
	"runtime"

	"scrim/redact"
	"scrim/redact/cv"
	"scrim/redact/face"
	"scrim/redact/yuv"
)

// CascadeWarning is what an operator is told about the last resort.
const CascadeWarning = "no face detection model: OpenCV's cascades are the last resort and miss most profiles, " +
	"tilted and small faces; run `scrim models pull yunet-n`"

// The cascades of opencv-data 4.6 (Intel licence), with the SHA-256 of their
// files.
var cascadeFiles = [...]struct{ name, sum string }{
	{"haarcascade_frontalface_default.xml", "0f7d4527844eb514d4a4948e822da90fbb16a34a0bbbbc6adc6498747a5aafb0"},
	{"haarcascade_profileface.xml", "b39a4a3be45539db146a7fc1d3e761a292c196eb88421185e6a615b3055e612d"},
}

const (
	cascadeScale      = 1.1
	cascadeNeighbours = 2
	cascadeMin        = 20 // pixels; what the cascades were trained on
	// cascadeScore stands for the confidence that cascades do not give.
	cascadeScore = 0.5
)

// cascades runs frontal and profile classifiers on the luma, the profile one
// also mirrored, since it knows faces turned to one side only.
type cascades struct {
	info             redact.DetectorInfo
	size             int
	frontal, profile *cv.Cascade
	scaler           *cv.Scaler
	geometry         geometry
	mirror           []byte
	faces            []face.Face
}

func openCascades(c Config) (*cascades, error) {
	d := &cascades{size: c.Size}
	all := sha256.New()
	for i, to := range []**cv.Cascade{&d.frontal, &d.profile} {
		path := filepath.Join(c.CascadeDir, cascadeFiles[i].name)
		xml, sum, err := read(path, cascadeFiles[i].sum)
		if err == nil {
			*to, err = cv.ReadCascade(xml)
		}
		if err != nil {
			_ = d.Close()
			return nil, fmt.Errorf("no face detection model, and the last resort fails: cascade %s: %w: %w; "+
				"run `scrim models pull yunet-n`, or install the package opencv-data 4.6", path, ErrPermanent, err)
		}
		all.Write([]byte(sum))
	}
	d.info = redact.DetectorInfo{
		Name: fmt.Sprintf("cascade %d", c.Size), ModelSHA256: hex.EncodeToString(all.Sum(nil)), Warning: CascadeWarning,
	}
	return d, nil
}

// Info implements redact.Detector.
func (d *cascades) Info() redact.DetectorInfo { return d.info }

// Close implements redact.Detector; a second call does nothing.
func (d *cascades) Close() error {
	for _, c := range []*cv.Cascade{d.frontal, d.profile} {
		if c != nil {
			c.Close()
		}
	}
	if d.scaler != nil {
		d.scaler.Close()
		d.scaler = nil
	}
	return nil
}

// Detect implements redact.Detector. The faces are valid until the next call.
func (d *cascades) Detect(im *yuv.Image) ([]face.Face, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	g := layOut(im.Width, im.Height, d.size)
	if d.scaler == nil || g != d.geometry {
		if d.scaler != nil {
			d.scaler.Close()
		}
		var err error
		if d.scaler, err = cv.NewScaler(g.width, g.height); err != nil {
			return nil, err
		}
		d.geometry, d.mirror = g, make([]byte, g.width*g.height)
	}
	luma, err := d.scaler.Scale(cv.Plane{Pix: im.Y, Width: im.Width, Height: im.Height, Stride: im.YStride})
	if err != nil {
		return nil, err
	}
	for y := range g.height {
		row, to := luma[y*g.width:(y+1)*g.width], d.mirror[y*g.width:(y+1)*g.width]
		for x, v := range row {
			to[g.width-1-x] = v
		}
	}
	d.faces = d.faces[:0]
	for _, pass := range []struct {
		c        *cv.Cascade
		pix      []byte
		mirrored bool
	}{{d.frontal, luma, false}, {d.profile, luma, false}, {d.profile, d.mirror, true}} {
		found, err := pass.c.Detect(cv.Plane{Pix: pass.pix, Width: g.width, Height: g.height, Stride: g.width}, cascadeScale, cascadeNeighbours, cascadeMin)
		if err != nil {
			return nil, err
		}
		if len(d.faces)+len(found) > maxFaces {
			return nil, fmt.Errorf("%w: over %d faces", errOutput, maxFaces)
		}
		for _, r := range found {
			if pass.mirrored {
				r = image.Rect(g.width-r.Max.X, r.Min.Y, g.width-r.Min.X, r.Max.Y)
			}
			d.add(r, im)
		}
	}
	return d.faces, nil
}

// add appends a rectangle in pixels of the scaled picture, unless it is there.
func (d *cascades) add(r image.Rectangle, im *yuv.Image) {
	sx, sy := float64(im.Width)/float64(d.geometry.width), float64(im.Height)/float64(d.geometry.height)
	b := face.Box{X: float64(r.Min.X) * sx, Y: float64(r.Min.Y) * sy, W: float64(r.Dx()) * sx, H: float64(r.Dy()) * sy}
	for _, f := range d.faces {
		if f.Box.IoU(b) > overlap {
			return
		}
	}
	d.faces = append(d.faces, face.Face{Box: b, Score: cascadeScore})
}
