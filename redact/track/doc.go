// Package track follows faces through time. It associates the faces of one
// picture with the tracks of those before, and keeps a face covered for a while
// after the detector lost it. Its regions stay the same during small movements,
// so that what is obscured does not flicker. It is pure arithmetic, without C code.
package track
