// Package motion knows what a camera shows when nothing moves, and finds everything
// that differs from it. No detector is needed for that. It implements
// redact.Background.
//
// A picture is divided into cells, whose mean luma and chroma are compared with those
// of the background, after a change of brightness of the whole picture was taken out.
// The threshold follows the noise that was measured at each place. What differs is
// covered, with what lies around and between, until it is like the background again; it
// becomes background only after Options.Absorb without any movement. docs/design/motion.md
// has the rules.
package motion
