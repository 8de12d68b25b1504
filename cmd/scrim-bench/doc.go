// Command scrim-bench measures what redaction costs: the time of each stage, CPU
// time, memory, and the faces that were to be seen nevertheless, all in the same
// run.
package main
