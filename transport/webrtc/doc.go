// Package webrtc is the gateway to browsers: WHEP sessions (draft-ietf-wish-whep-03), a
// small HTTP API and the viewer's page.
//
// Package fanout does what all kinds of viewers share: one subscription a camera, a
// short queue for each viewer, and few requests for key frames. Here each viewer has a
// goroutine that empties its queue.
//
// A session ends if its camera has sent nothing for 5 seconds: the viewer would show
// the last picture forever otherwise, because a running redactor sends at least slates.
// A new session waits for the camera and ends after 10 seconds without a unit.
//
// Without a token, the gateway answers only to IP addresses, localhost and the names in
// Options.Hosts, because of DNS rebinding.
//
// The gateway only sends video: it has no data channel, receives only RTCP, and does
// not use a STUN or TURN server itself. It keeps no state that a restart would lose:
// viewers reconnect.
//
// Promises: a Gateway may be used from many goroutines, and calls its Source from many.
// Nothing that it started is left after Close. The API for browsers and Go is not stable
// yet.
package webrtc
