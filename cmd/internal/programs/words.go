package programs

import "strings"

// Words keep the first bytes of what a program says, and drop the rest. They are for
// exec.Cmd.Stderr, and not safe for concurrent use.
type Words struct {
	// Most is how many bytes are kept.
	Most int
	kept strings.Builder
}

// Write implements io.Writer; it never fails.
func (w *Words) Write(p []byte) (int, error) {
	w.kept.Write(p[:min(len(p), w.Most-w.kept.Len())])
	return len(p), nil
}

// String returns what is kept, without space around it.
func (w *Words) String() string { return strings.TrimSpace(w.kept.String()) }
