// Command scrim-redactor is the process in which raw pictures live and die: one
// for each camera, started by `scrim worker` or `scrim serve`. It reads the
// camera's coded access units from standard input and writes redacted ones to
// standard output (package pipeline/ipc); it talks to nobody else. Standard
// error carries its log, one JSON object a line.
package main
