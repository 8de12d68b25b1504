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

// heapMeter reads how much has been allocated on the Go heap. It neither stops the
// program nor allocates.
type heapMeter []metrics.Sample

func newHeapMeter() heapMeter { return heapMeter{{Name: "/gc/heap/allocs:bytes"}} }

func (m heapMeter) allocated() uint64 {
	metrics.Read(m)
	if m[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return m[0].Value.Uint64()
}
