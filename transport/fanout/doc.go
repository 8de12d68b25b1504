// Package fanout hands the redacted units of a camera to all who watch it,
// whatever they speak.
//
// Each camera that somebody watches has one Hub. It holds the only subscription
// to the camera, packetises every access unit once (RFC 6184) and offers it to a
// Queue for each viewer. A viewer that cannot keep up loses what waits and goes on
// at the next key frame, and nobody else notices. What a viewer cannot decode
// becomes a wish for a key frame, of which at most one a second and camera goes
// back.
//
// The hub checks that each unit names its own camera, whatever the source says,
// because a picture of the wrong camera is as bad as one that shows a face.
package fanout
