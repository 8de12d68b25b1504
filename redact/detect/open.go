package detect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"scrim/models"
	"scrim/redact"
)

// Bounds of the longer side of the detector's input, in pixels.
const (
	MinSize = 32
	MaxSize = 2048
)

// ErrPermanent is wrapped by errors of Open that another try cannot mend.
var ErrPermanent = errors.New("not usable")

// Config says how faces are found.
type Config struct {
	// Model is the path of the ONNX file; empty: the network that is built in.
	Model string
	// ModelName is its name for people, such as "yunet-n". Of the one that is built
	// in it is either that one's or empty.
	ModelName string
	// SHA256 is the hash, in hex, that the network must have; empty: any, for a file
	// that the user vouches for.
	SHA256 string
	// Engine is what runs the model, one of the constants: EngineAuto and so on;
	// empty is EngineAuto.
	Engine string
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32. Pictures are scaled down to it, never up.
	Size int
	// Threshold is the score from which on a candidate counts as a face, 0 to 1.
	Threshold float64
	// Tiles adds passes over parts of the picture in their own size, for faces
	// too small for Size: from 12 pixels. It costs as much as the picture is
	// larger than Size, squared.
	Tiles bool
	// TileAreas are where small faces are expected: left, top, right and
	// bottom in fractions of the picture. Only tiles that reach into one are
	// added. With Tiles all are.
	TileAreas [][4]float64
	// SkipUnchanged inspects only what has changed, and everything at least once a
	// second. It is for the pictures of one camera, in their order.
	SkipUnchanged bool
}

// Open returns the detector that c asks for, which the caller closes.
func Open(c Config) (redact.Detector, error) {
	if c.Size < MinSize || c.Size > MaxSize || c.Size%stepSize != 0 {
		return nil, fmt.Errorf("detector input of %d pixels: %w; choose a multiple of %d from %d to %d", c.Size, ErrPermanent, stepSize, MinSize, MaxSize)
	}
	if !(c.Threshold > 0 && c.Threshold < 1) {
		return nil, fmt.Errorf("detector threshold %v: %w; choose one between 0 and 1", c.Threshold, ErrPermanent)
	}
	if !slices.Contains([]string{"", EngineAuto, EngineScrim, EngineScrimAVX2, EngineOpenCV}, c.Engine) {
		return nil, fmt.Errorf("detector engine %.20q: %w; choose %s, %s, %s or %s", c.Engine, ErrPermanent, EngineAuto, EngineScrim, EngineScrimAVX2, EngineOpenCV)
	}
	load := read
	if c.Model == "" {
		load = builtIn
	}
	model, sum, err := load(&c)
	if err != nil {
		return nil, err
	}
	y, err := newYuNet(model, c)
	if err != nil {
		remedy := "name an ONNX file of a network of YuNet's kind, or a model that `scrim models list` shows"
		if c.Model == "" {
			remedy = "install scrim-redactor again, or choose another engine"
		}
		// OpenCV is wordy, so it has the last word: a long error may be cut off.
		return nil, fmt.Errorf("model %s: %w; %s: %w", cmp.Or(c.Model, c.ModelName), ErrPermanent, remedy, err)
	}
	y.info.Name, y.info.ModelSHA256 = describe(c)+" on "+y.engine.name(), sum
	y.info.Weak = true
	return y, nil
}

// builtIn returns the network that is built in, and its hash, and names it. It is in
// this program; the one that chose it has its own.
func builtIn(c *Config) (data []byte, sum string, err error) {
	name := models.BuiltIn().Name
	if c.ModelName != "" && c.ModelName != name {
		return nil, "", fmt.Errorf("model %.64q: %w: scrim-redactor is of another release than scrim; install both of the same: it has %s built in",
			c.ModelName, ErrPermanent, name)
	}
	c.ModelName, data = name, models.Weights()
	if sum = hash(data); c.SHA256 != "" && sum != c.SHA256 {
		// A long error may be cut off: what to do comes before the hashes.
		return nil, "", fmt.Errorf("model %s: %w: scrim-redactor is of another release than scrim; install both of the same: it has SHA-256 %s and needs %.64s",
			name, ErrPermanent, sum, c.SHA256)
	}
	return data, sum, nil
}

// read returns the bytes of a file and their hash, which must be the one that is
// asked for. What is loaded is exactly what was hashed.
func read(c *Config) (data []byte, sum string, err error) {
	c.ModelName = cmp.Or(c.ModelName, "yunet")
	f, err := os.Open(c.Model) // the worker chose it
	if err != nil {
		return nil, "", fmt.Errorf("model: %w: %w; name another, or leave `model` out: a network is built in", ErrPermanent, err)
	}
	defer func() { _ = f.Close() }()
	data, err = io.ReadAll(io.LimitReader(f, models.MaxBytes+1))
	if err != nil {
		return nil, "", fmt.Errorf("model %s: %w: %w", c.Model, ErrPermanent, err)
	}
	if len(data) == 0 || len(data) > models.MaxBytes {
		return nil, "", fmt.Errorf("model %s: %w: it is empty or over %d MiB; put a whole one there", c.Model, ErrPermanent, models.MaxBytes>>20)
	}
	if sum = hash(data); c.SHA256 != "" && sum != c.SHA256 {
		return nil, "", fmt.Errorf("model %s: %w: its SHA-256 is %s and should be %.64s; put the right file there, or restart scrim if this is the one that you want",
			c.Model, ErrPermanent, sum, c.SHA256)
	}
	return data, sum, nil
}

// hash returns the SHA-256 of bytes, in hex.
func hash(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
