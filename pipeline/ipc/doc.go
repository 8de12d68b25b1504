// Package ipc is the framing on the pipes between a worker and its redactor
// process. Downwards (worker to redactor) go the configuration, coded access
// units of the camera and small commands; upwards come a greeting, redacted
// access units with their inspection records, and events.
//
// A message is a 16-byte header, a JSON head and a binary body:
//
//	magic "SCR1" | type (1 byte) | 3 zero bytes | head length (4) | body length (4)
//
// Numbers are big-endian. Both lengths are bounded, and both sides treat
// anything that does not fit as the other side being broken.
package ipc
