// Package device is a minimal ONVIF device, so that a video management system can add
// the redacted cameras like any other cameras: device and media service (ver10), each
// camera a media profile, with the URIs of its stream and its snapshot.
//
// Anyone can get the time and the capabilities, as the ONVIF core specification
// requires. Everything else requires a WS-Security UsernameToken with a digest, which
// can be used once, or HTTP Digest. A user sees the profiles of the cameras that the
// user may watch. Package soap bounds the requests.
package device
