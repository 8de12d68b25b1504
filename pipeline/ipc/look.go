package ipc

import "scrim/redact/geom"

// Look is the first message to a redactor that only looks. It answers with Hello, and to
// each unit, which must be a key frame, with Looked. No picture leaves it.
type Look struct {
	// Detect is how faces are found. Its SkipUnchanged is not used.
	Detect DetectConfig `json:"detect"`
}

// Looked is what was found in one unit.
type Looked struct {
	// Error is why it could not be looked at, in one line; empty: it was.
	Error string `json:"error,omitempty"`
	// Faces are the faces that were found, by how they lie in the picture.
	Faces map[geom.Rotation]int `json:"faces,omitempty"`
}
