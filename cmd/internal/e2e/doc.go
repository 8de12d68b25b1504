// Package e2e holds the end-to-end tests: real programs, drawn cameras over RTSP,
// NATS, and viewers that decode what they receive. It has no other code.
package e2e
