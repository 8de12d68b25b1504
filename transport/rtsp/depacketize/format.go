package depacketize

import "scrim/transport"

// payloadFormat is how the access units of a codec are packed into RTP payloads,
// and how one tells from them where a picture begins and ends. It belongs to one
// assembler.
type payloadFormat interface {
	codec() transport.Codec
	// read appends what is in a payload, which is not empty, to the access unit. An
	// error says why the unit cannot be kept.
	read(a *Assembler, p []byte) error
	// continues reports whether a payload goes on with a picture that began before
	// it, and begins whether it holds the beginning of one and does not.
	continues(p []byte) bool
	begins(p []byte) bool
	// unit returns the access unit as it is delivered, with memory of its own.
	unit(a *Assembler) []byte
	// maxBlock is the size of the largest block that an encoder codes at a time, in
	// bytes.
	maxBlock() int
}

// formatOf returns the format of a codec, which must be Known.
func formatOf(c transport.Codec) payloadFormat {
	switch c {
	case transport.H265:
		return h265
	case transport.MJPEG:
		return &jpegFormat{}
	default:
		return h264
	}
}
