// Package e2e holds the end-to-end tests: real programs, a real camera over
// RTSP, real NATS, and viewers that decode what they get. It has no code of
// its own.
package e2e
