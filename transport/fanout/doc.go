// Package fanout distributes the redacted units of a camera to all of its viewers,
// whatever protocol they use.
//
// Each camera with viewers has one Hub. The hub holds the only subscription to the
// camera, packetises every access unit once (RFC 6184) and offers it to a Queue for
// each viewer. A viewer that cannot keep up loses what is queued and continues at the
// next key frame; other viewers do not notice. A viewer that cannot decode requests a
// key frame; at most one request a second goes to each camera. A Pacer turns the frames
// of one queue into RTP packets.
//
// The hub checks that each unit names its own camera, whatever the source claims: a
// picture of the wrong camera is as bad as a visible face.
//
// Promises: Hubs and Hub may be used from many goroutines, a Pacer by one. Units and frames
// are shared between viewers and must not be changed. No viewer makes another one wait. The
// API is not stable yet.
package fanout
