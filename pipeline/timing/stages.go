package timing

import (
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"scrim/pipeline/ipc"
)

// The range of a histogram in nanoseconds, and its precision in decimal digits.
const (
	lowest  = 1_000
	highest = 60_000_000_000
	digits  = 3
)

// The names of the stages, in order. Total is the sum of them.
const (
	Queue   = "queue"
	Decode  = "decode"
	Wait    = "wait"
	Detect  = "detect"
	Track   = "track"
	Obscure = "obscure"
	Encode  = "encode"
	Total   = "total"
)

// Names lists the stages in order.
func Names() []string {
	return []string{Queue, Decode, Wait, Detect, Track, Obscure, Encode, Total}
}

// Stages collects the stage times of one camera. It is safe for concurrent use.
type Stages struct {
	mu       sync.Mutex
	hist     map[string]*hdrhistogram.Histogram
	pictures uint64
	cpuSum   time.Duration
	cpuCount uint64
	cpuLast  int64
}

// New returns empty Stages.
func New() *Stages {
	s := &Stages{hist: make(map[string]*hdrhistogram.Histogram)}
	for _, n := range Names() {
		s.hist[n] = hdrhistogram.New(lowest, highest, digits)
	}
	return s
}

// Add counts one picture. Total is the sum of its stages.
func (s *Stages) Add(r *ipc.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := r.Stages
	s.pictures++
	var total int64
	for name, v := range map[string]int64{
		Queue: t.Queue, Decode: t.Decode, Wait: t.Wait, Detect: t.Detect, Track: t.Track, Obscure: t.Obscure, Encode: t.Encode,
	} {
		s.record(name, v)
		total += v
	}
	s.record(Total, total)
	if s.cpuLast != 0 && t.CPU >= s.cpuLast { // it goes back when the process is restarted
		s.cpuSum += time.Duration(t.CPU - s.cpuLast)
		s.cpuCount++
	}
	s.cpuLast = t.CPU
}

// record clamps v to the range of the histogram.
func (s *Stages) record(name string, v int64) {
	_ = s.hist[name].RecordValue(min(max(v, lowest), highest))
}

// Quantiles are the times of a stage, in milliseconds.
type Quantiles struct {
	Stage string  `json:"stage"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Summary summarises the pictures so far.
type Summary struct {
	Pictures uint64      `json:"pictures"`
	Stages   []Quantiles `json:"stages"`
	// CPU is the CPU time of the redactor process per picture, in milliseconds.
	CPU float64 `json:"redactor_cpu_ms_per_frame"`
}

// Summary returns the summary of the pictures so far.
func (s *Stages) Summary() Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Summary{Pictures: s.pictures}
	for _, n := range Names() {
		h := s.hist[n]
		out.Stages = append(out.Stages, Quantiles{
			Stage: n, P50: ms(h.ValueAtQuantile(50)), P95: ms(h.ValueAtQuantile(95)), P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max()),
		})
	}
	if s.cpuCount > 0 {
		out.CPU = ms(int64(s.cpuSum) / int64(s.cpuCount)) //nolint:gosec // a count of pictures
	}
	return out
}

// Write prints the summary as a table, times in milliseconds.
func (s Summary) Write(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "stage (ms)\tp50\tp95\tp99\tmax\t")
	for _, q := range s.Stages {
		fmt.Fprintf(tw, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t\n", q.Stage, q.P50, q.P95, q.P99, q.Max)
	}
	return tw.Flush()
}

func ms(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }
