package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"scrim/redact"
)

// MaxModelBytes bounds a model's file.
const MaxModelBytes = 64 << 20

// Bounds of the longer side of the detector's input, in pixels.
const (
	MinSize = 32
	MaxSize = 2048
)

// ErrPermanent is wrapped by errors of Open that another try cannot mend.
var ErrPermanent = errors.New("not usable")

// Config says how faces are found.
type Config struct {
	// Model is the path of the ONNX file; empty: the cascades in CascadeDir.
	Model string
	// ModelName is its name for people, such as "yunet-n".
	ModelName string
	// SHA256 is the hash, in hex, that the file must have; empty only when the
	// user named the file himself.
	SHA256 string
	// CascadeDir is the folder of OpenCV's Haar cascades.
	CascadeDir string
	// Engine is what runs the model: EngineAuto, EngineScrim or EngineOpenCV;
	// empty is EngineAuto.
	Engine string
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32. Pictures are scaled down to it, never up.
	Size int
	// Threshold is the score from which on a candidate counts as a face, 0 to 1.
	Threshold float64
	// Tiles adds passes over parts of the picture in their own size, for faces
	// too small for Size: from 12 pixels. It costs as much as the picture is
	// larger than Size, squared. Cascades know no tiles.
	Tiles bool
	// TileAreas are where small faces are to be expected: left, top, right and
	// bottom in fractions of the picture. Only tiles that reach into one are
	// added. With Tiles all are.
	TileAreas [][4]float64
	// Gate inspects only what has changed, and everything at least once a
	// second. It is for the pictures of one camera, in their order. Cascades
	// inspect everything always.
	Gate bool
}

// Open returns the detector that c asks for, which the caller closes: YuNet
// when c names a model, else the cascades.
func Open(c Config) (redact.Detector, error) {
	if c.Size < MinSize || c.Size > MaxSize || c.Size%stepSize != 0 {
		return nil, fmt.Errorf("detector input of %d pixels: %w; choose a multiple of %d from %d to %d", c.Size, ErrPermanent, stepSize, MinSize, MaxSize)
	}
	if !(c.Threshold > 0 && c.Threshold < 1) {
		return nil, fmt.Errorf("detector threshold %v: %w; choose one between 0 and 1", c.Threshold, ErrPermanent)
	}
	if !slices.Contains([]string{"", EngineAuto, EngineScrim, EngineOpenCV}, c.Engine) {
		return nil, fmt.Errorf("detector engine %.20q: %w; choose %s, %s or %s", c.Engine, ErrPermanent, EngineAuto, EngineScrim, EngineOpenCV)
	}
	if c.Model == "" {
		return openCascades(c)
	}
	model, sum, err := read(c.Model, c.SHA256)
	if err != nil {
		return nil, err
	}
	y, err := newYuNet(model, c)
	if err != nil {
		// OpenCV is wordy, so it has the last word: a long error may be cut off.
		return nil, fmt.Errorf("model %s: %w; fetch a whole one with `scrim models pull`: %w", c.Model, ErrPermanent, err)
	}
	name := c.ModelName
	if name == "" {
		name = "yunet"
	}
	y.info.Name, y.info.ModelSHA256 = describe(name, c)+" on "+y.engine.name(), sum
	y.info.Weak = true
	return y, nil
}

// read returns the bytes of a file and their hash, which must be want unless
// that is empty. What is loaded is exactly what was hashed.
func read(path, want string) (data []byte, sum string, err error) {
	f, err := os.Open(path) //nolint:gosec // the worker chose it
	if err != nil {
		return nil, "", fmt.Errorf("model: %w: %w; fetch one with `scrim models pull`", ErrPermanent, err)
	}
	defer func() { _ = f.Close() }()
	data, err = io.ReadAll(io.LimitReader(f, MaxModelBytes+1))
	if err != nil {
		return nil, "", fmt.Errorf("model %s: %w: %w", path, ErrPermanent, err)
	}
	if len(data) == 0 || len(data) > MaxModelBytes {
		return nil, "", fmt.Errorf("model %s: %w: it is empty or over %d MiB; fetch a whole one with `scrim models pull`", path, ErrPermanent, MaxModelBytes>>20)
	}
	h := sha256.Sum256(data)
	sum = hex.EncodeToString(h[:])
	if want != "" && sum != want {
		return nil, "", fmt.Errorf("model %s: %w: its SHA-256 is %.12s… and should be %.12s…; fetch it again with `scrim models pull`", path, ErrPermanent, sum, want)
	}
	return data, sum, nil
}
