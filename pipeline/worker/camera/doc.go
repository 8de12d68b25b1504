// Package camera keeps one camera going: it takes coded units from the
// camera, feeds them to a redactor process through a pipe, publishes what comes
// back, and starts another process when one crashes, hangs or violates the
// protocol. It is pure Go and sees compressed bytes only.
//
// A camera is one state machine (machine.go) with one owner (loop.go): events go
// in, actions come out, and the machine has neither lock nor clock. Deadlines
// are in deadlines.go.
//
// What is late is dropped whole before it is decoded, and counted. What is
// published was made by the redactor and by nothing else.
package camera
