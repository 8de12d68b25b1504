// Package camera runs one camera: it reads the camera's access units, feeds them to a
// redactor process through a pipe, publishes the redactor's output, and restarts the
// redactor when it crashes, hangs or violates the protocol. It is pure Go and handles
// compressed bytes only.
//
// A camera is one state machine (machine.go) with one owner (loop.go): events go in,
// actions come out, and the machine has no lock, no I/O and no clock. Deadlines are in
// deadlines.go.
//
// The first row that applies is the camera's state (state.go):
//
//	                                                          state     what an operator does
//	redactor cannot work as configured                        failed    mends the configuration
//	camera cannot be reached: never answered, refused,        offline   looks after the camera
//	connection lost; or it sends nothing for silentTime
//	first unit, or first output of a redactor, is awaited     starting  waits
//	last published unit is a redacted picture in which the    live
//	detector sees, or has not been blind for long
//	last published unit is such a picture, or a slate, of     blind     gives it light, cleans or
//	a camera in whose pictures the detector cannot see                  focuses it; or accepts it
//	no prepared slate to show                                 failed    looks at the log
//	camera sends, a slate is shown                            obscured  reads the reason
//
// A camera that stops sending is obscured within half a second, as its redactor shows a
// slate. It is offline once its connection is declared lost, or after silentTime. A
// connection that the worker itself ends to get a key frame does not make the camera
// offline, because it was sending; a reconnection that fails does.
//
// A blind camera is no fault of connection, stream or redactor: nothing is tried again, and
// nothing restarted. What the redactor covers meanwhile, the redactor decides. Until the
// camera counts as blind, after 2 s, it is live, or obscured by a slate with FaultBlind.
//
// Access units that are late are dropped before they are decoded, and counted. Only what
// a redactor made is published.
package camera
