package config

import (
	"fmt"
	"strings"

	"scrim/models"
)

// Model is a face detection model: ModelAuto, a known model's name, or the path of
// an ONNX file.
type Model string

// ModelAuto leaves the choice to package models.
const ModelAuto Model = models.Auto

// UnmarshalText accepts a known name or a path.
func (m *Model) UnmarshalText(text []byte) error {
	model := Model(text)
	if model != ModelAuto && !model.IsPath() {
		if _, err := models.Lookup(string(model)); err != nil {
			return fmt.Errorf("%w (or %s, or the path of an ONNX file)", err, ModelAuto)
		}
	}
	*m = model
	return nil
}

// IsPath reports whether it is the path of a file and not a name.
func (m Model) IsPath() bool {
	return strings.ContainsRune(string(m), '/') || strings.HasSuffix(string(m), ".onnx")
}
