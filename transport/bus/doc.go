// Package bus carries redacted video and the states of cameras over NATS: the subjects,
// the headers of an access unit, an embedded server, and the two ends, Publisher and
// Subscription. It is live: what cannot be delivered now is lost and counted, never
// stored and sent late. A reader that has lost something continues at a key frame.
//
// Subjects are scrim.v1.<site>.<camera>.video.<rendition>, .status, .events,
// .request.keyframe and .request.snapshot, which is answered on .snapshot.<token>.
// Everything from the bus is untrusted: it is bounded and checked first. Above all, the
// camera named in a message must be the camera of its subject.
//
// Promises: Server, Conn and Publisher may be used from many goroutines, Next of a
// Subscription by one. A published unit stays the caller's, a received one is its reader's.
// Errors can be told apart by errors.Is with the values of this package. The API is not
// stable yet.
package bus
