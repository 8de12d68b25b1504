// Package auth decides who may see which camera, for protocols in which a client
// proves that it knows a password: Digest over RTSP and HTTP (package digest) and
// the UsernameToken of ONVIF.
//
// Comparisons take constant time, unknown users cost as much as known ones, and
// guessing is slowed down. Passwords never appear in errors or logs.
package auth
