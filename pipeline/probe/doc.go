// Package probe checks a camera before it is mounted: connection, login, video and
// ONVIF. Its report lists the problems with advice, and the configuration to paste.
// It tries credentials only once: cameras lock accounts after about five failed
// logins.
package probe
