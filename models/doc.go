// Package models knows the face detection models that Scrim can use: the one
// that is built in, what the others are called, where they lie, and whether a
// file is whole. Package pull gets them.
//
// A model is identified by the SHA-256 of its file. A file that has the name of
// a known model and another hash is an error wherever that model would be used,
// and never a reason to use something weaker in silence.
//
// The package only handles files; it cannot load a model. The redactor links it
// for the weights, so it depends on no other package of Scrim, and on no network.
package models
