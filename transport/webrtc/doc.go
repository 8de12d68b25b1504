// Package webrtc is the gateway to browsers: WHEP sessions
// (draft-ietf-wish-whep-03), a small HTTP API and the viewer's page.
//
// Package fanout does what all kinds of viewers share: one subscription a camera,
// a short queue for each viewer, and few wishes for a key frame. Here each viewer
// has a goroutine that empties its queue.
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
package webrtc
