// Package decode turns coded access units into raw pictures with libavcodec.
// What it returns is copied out of the decoder's frames, once: those are its
// reference pictures, and redacting in place would change what comes after.
package decode
