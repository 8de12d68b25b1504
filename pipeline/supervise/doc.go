// Package supervise keeps one camera going: it takes coded units from the
// camera, feeds them to a redactor process through a pipe, publishes what comes
// back, and starts another process when one crashes, hangs or talks nonsense.
// It is pure Go and sees compressed bytes only.
//
// What is late is dropped whole before it is decoded, and counted. What is
// published was made by the redactor and by nothing else.
package supervise
