// Package transport holds the plain types that all sides share: the coded
// access unit that comes from a camera, the one that leaves redacted, and the
// state a camera is in. It imports nothing of Scrim, so that ingest, bus,
// gateway and supervisor can speak of the same thing without knowing each other.
package transport
