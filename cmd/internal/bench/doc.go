// Package bench is what scrim-bench is made of, as far as it needs no C code:
// times and leaks from what a worker sent and viewers got, CPU time and memory of
// processes, results, how two of them compare, and how they are shown.
//
// # Latency
//
// Pictures are due at fixed times, whether the system keeps up or not. Times
// count from when a picture was due, and one that never came counts with the time
// until the next one that did, since that is how long a viewer looked at an older
// picture. So a system that stalls cannot hide it by getting less to do meanwhile
// (coordinated omission, Gil Tene).
//
// # CPU
//
// CPU time is that of whole processes, as the kernel counts it.
package bench
