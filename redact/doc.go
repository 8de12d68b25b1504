// Package redact holds the policy: it turns a decoded Picture into a Frame, and
// nothing else does. The fields of a Frame are unexported and the encoder accepts only
// a Frame, so a raw picture cannot be encoded or sent. It fails closed: if the detector
// fails, or an inspection does not match its picture, the picture is withheld.
//
// Promises: a Redactor is used by one goroutine, a Gate by many. Redact takes over a
// picture's image; with a *WithheldError the image is the caller's again. Whatever a
// detector, tracker or obscurer does wrong shuts the gate. The API is not stable yet.
package redact
