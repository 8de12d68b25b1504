// Command scrim-redactor is the only process that handles raw pictures. `scrim worker`
// or `scrim serve` starts one for each camera. It reads the camera's access units from
// standard input and writes redacted ones to standard output (package pipeline/ipc). It
// has no other connections. Standard error carries its log, one JSON object per line.
package main
