// Package ipc is the framing on the pipes between a worker and its redactor
// process. The worker sends down the configuration, coded access units of the
// camera and small commands. The redactor sends up a hello, redacted access units with
// their inspection records, prepared slates, snapshots and heartbeats.
//
// A message is a 16-byte header, a JSON head and a binary body:
//
//	magic "SCR1" | type (1 byte) | 3 zero bytes | head length (4) | body length (4)
//
// Numbers are big-endian. Both lengths are bounded. Each side treats
// anything that does not fit as a failure of the other.
package ipc
