// Package selftest is the redactor's self-test: a drawn face that goes the way of
// the camera's pictures, through a redact.Redactor of its own made of the same
// parts, after which it must not be found. A redactor that runs and finds nothing
// is the commonest failure of systems like this one, and looks just like a quiet
// scene.
package selftest
