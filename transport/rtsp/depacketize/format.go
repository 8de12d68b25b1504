package depacketize

import "scrim/transport"

// payloadFormat defines how the access units of a codec are packed into RTP payloads,
// and how the payloads show where a picture begins and ends. It belongs to one
// Assembler.
type payloadFormat interface {
	codec() transport.Codec
	// read appends the content of a non-empty payload to the access unit. An error says
	// why the unit must be discarded.
	read(a *Assembler, p []byte) error
	// continues reports whether a payload continues a picture that began earlier;
	// begins whether it contains the beginning of a picture and continues none.
	continues(p []byte) bool
	begins(p []byte) bool
	// unit returns the access unit for delivery, in memory of its own.
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
