// Command scrim-bench measures the cost of redaction: the latency of each stage, CPU
// time and memory. It counts the faces that were exposed in the same run.
package main
