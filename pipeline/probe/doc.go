// Package probe checks a camera before it is mounted: connection, login, video and
// ONVIF. Its report lists the problems with advice, and the configuration to paste.
// It tries credentials only once: cameras lock accounts after about five failed
// logins.
//
// Promises: Run may be called from many goroutines. Nothing that it started is left when it
// returns. Report and errors show no password. The API is not stable yet.
package probe
