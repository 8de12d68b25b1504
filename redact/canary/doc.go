// Package canary is the redactor's self-test: a drawn face that goes through
// the same detector and obscurer as the camera's pictures. A redactor that runs
// and finds nothing is the commonest failure of systems like this one, and looks
// just like a quiet scene.
package canary
