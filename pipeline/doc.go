// Package pipeline is the inside of the redactor process: coded access units of
// one camera in, redacted ones out. Three stages run concurrently, decode,
// redact and encode, with short queues between them; what is late is dropped
// whole, between the stages, and counted. Whenever no inspected picture may be
// sent or none comes, the output is a slate that says why, never a repeated or
// a doubtful picture.
package pipeline
