// Package redact holds the policy: it turns a decoded Picture into a Frame, and
// nothing else does. A Frame's fields are unexported and the encoder takes
// nothing but a Frame, so a raw picture cannot be encoded or sent. It fails
// closed: a detector that errs or a inspection that does not match gives a
// Frame that is obscured whole.
package redact
