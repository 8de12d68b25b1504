// Package device is a minimal ONVIF device, so that a video management system can
// add the redacted cameras as it adds any: device and media service (ver10), each
// camera a media profile, with the URIs of its stream and its snapshot.
//
// Time and capabilities are told to everybody, as the ONVIF core specification
// wants; all else asks for a UsernameToken of WS-Security, by digest and used once,
// or for HTTP Digest. A user sees the profiles of the cameras that he may watch and
// no others. Requests are bounded by package soap.
package device
