package pipeline

import (
	"runtime/metrics"
	"syscall"
)

// cpuTime returns the CPU time of this process so far, in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// heapMeter reads how much the Go heap has handed out. It does not stop the
// program for that, and allocates nothing.
type heapMeter []metrics.Sample

func newHeapMeter() heapMeter { return heapMeter{{Name: "/gc/heap/allocs:bytes"}} }

func (m heapMeter) allocated() uint64 {
	metrics.Read(m)
	if m[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return m[0].Value.Uint64()
}
