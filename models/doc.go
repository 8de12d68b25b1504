// Package models knows the face detection models that Scrim can use: what they
// are called, where they lie, whether a file is whole, and where to get one.
//
// A model is identified by the SHA-256 of its file. A file that has the name of
// a known model and another hash is an error wherever it is met, and never a
// reason to use something weaker in silence. Every download is pinned by that
// hash, so the servers need not be trusted.
//
// The package only handles files; it cannot load a model. It depends on no
// other package of Scrim.
package models
