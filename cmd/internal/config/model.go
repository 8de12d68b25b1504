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

// UnmarshalText takes a name that is known, or a path.
func (m *Model) UnmarshalText(text []byte) error {
	said := Model(text)
	if said != ModelAuto && !said.IsPath() {
		if _, err := models.Lookup(string(said)); err != nil {
			return fmt.Errorf("%w (or %s, or the path of an ONNX file)", err, ModelAuto)
		}
	}
	*m = said
	return nil
}

// IsPath reports whether it is a file and not a name.
func (m Model) IsPath() bool {
	return strings.ContainsRune(string(m), '/') || strings.HasSuffix(string(m), ".onnx")
}
