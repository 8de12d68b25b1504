// Package transport has the types that all packages share: the access unit of a camera,
// the redacted access unit, and the state of a camera. Of Scrim it imports only
// redact/geom, the geometry of boxes, so that ingest, bus, gateway and worker are
// independent of each other.
package transport
