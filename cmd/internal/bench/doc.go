// Package bench is the part of scrim-bench without C code. It computes latencies and
// leaks from what a worker sent and viewers received, measures CPU time and memory of
// processes, compares results, and prints them as a table or a page.
//
// # Latency
//
// Pictures are due at fixed times, whether the system keeps up or not. Latency counts
// from the time a picture was due. A lost picture counts with the time until the next
// one that arrived, because that is how long a viewer saw an older picture. So a
// stalled system cannot hide the stall by processing less (coordinated omission, Gil
// Tene).
//
// # CPU
//
// CPU time is that of whole processes, as the kernel counts it.
package bench
