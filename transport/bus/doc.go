// Package bus carries redacted video and the state of cameras over NATS: the
// subjects, the headers of an access unit, an embedded server, and the two ends,
// Publisher and Subscription. It is live: what cannot be delivered now is lost
// and counted, never stored and sent late, and a reader that has lost something
// goes on at a key frame.
//
// Subjects are scrim.v1.<site>.<camera>.video.<rendition>, .status, .events,
// .request.keyframe and .request.snapshot, which is answered on .snapshot.<token>. Everything that comes off the bus is
// outside bytes: it is bounded and checked before it is believed, above all that
// the camera named in a message is the camera of its subject.
package bus
