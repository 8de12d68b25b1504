// Package decode turns coded access units into raw pictures with libavcodec.
// Pictures are copied once out of the decoder's frames: these are reference
// pictures, so redacting them in place would change later pictures.
package decode
