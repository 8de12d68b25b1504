// Package models knows the face detection models that Scrim can use: what they
// are called, where they lie, and whether a file is whole. Package pull gets them.
//
// A model is identified by the SHA-256 of its file. A file that has the name of
// a known model and another hash is an error wherever it is met, and never a
// reason to use something weaker in silence.
//
// The package only handles files; it cannot load a model. It depends on no
// other package of Scrim, and on no network.
package models
