// Package pipeline is the inside of the redactor process: coded access units of
// one camera in, redacted ones out. Three stages run concurrently, decode,
// redact and encode, with short queues between them. Late pictures are dropped
// whole, between the stages, and counted. When no inspected picture may be sent, or
// none comes, the output is a slate with the reason, never a repeated or doubtful
// picture.
package pipeline
