// Package track carries faces through time: it associates the faces of one
// picture with those of the pictures before, keeps a face that the detector
// loses covered for a while, and keeps regions calm, so that what is obscured
// neither flickers nor pops. Plain arithmetic, no C code.
package track
