// Package webrtc is the gateway to browsers: WHEP sessions
// (draft-ietf-wish-whep-03), a small HTTP API and the viewer's page.
//
// Each camera that somebody watches has one hub. The hub holds the only
// subscription to the camera, packetises every access unit once (RFC 6184) and
// hands the packets to the viewers. Each viewer has a short queue of its own and
// a goroutine that empties it; one that cannot keep up loses what waits and goes
// on at the next key frame, and nobody else notices. What a viewer cannot decode
// becomes a wish for a key frame, of which at most one a second and camera goes
// back.
//
// A session whose camera has sent nothing for 5 seconds is ended, because a
// viewer would show the last picture for ever otherwise: while a redactor lives
// there is a slate at least. Others may be opened meanwhile; they wait for the
// camera, and are ended after 10 seconds without a unit.
//
// Without a token the gateway answers to IP addresses, localhost and the names in
// Options.Hosts only, because of DNS rebinding.
//
// The gateway sends video and nothing else: there is no data channel, nothing is
// received but RTCP, and it talks to no STUN or TURN server itself. It keeps no
// state that a restart would lose: viewers connect anew.
//
// The hub checks that each unit names its own camera, whatever the source says,
// because a picture of the wrong camera is as bad as one that shows a face.
package webrtc
