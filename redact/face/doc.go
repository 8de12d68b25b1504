// Package face holds the words that detector, tracker and obscurer share: the
// box of a face as it was found, and the region that must be obscured for it.
package face
