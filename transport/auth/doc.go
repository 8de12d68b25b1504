// Package auth says who may see which camera, for protocols in which a client
// proves that it knows a password: Digest over RTSP and HTTP (RFC 7616, in the
// form of RFC 2069 that all clients know), and the UsernameToken of ONVIF.
//
// Comparisons take a time that does not depend on how much is right, users that
// do not exist cost as much as others, and whoever guesses is made to wait. A
// password is never part of an error or a log.
package auth
