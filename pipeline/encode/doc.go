// Package encode codes redacted frames as H.264. It takes a redact.Frame and
// nothing else, so that a raw picture cannot be encoded: that is Scrim's
// invariant, kept by the compiler.
package encode
