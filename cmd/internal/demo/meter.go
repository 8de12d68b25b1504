// Package demo measures what the cameras of a demo publish.
package demo

import (
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"scrim/pipeline/ipc"
	"scrim/pipeline/measure"
	"scrim/pipeline/timing"
	"scrim/transport"
)

// The range of the latency histogram in microseconds, and its precision in
// decimal digits.
const (
	latencyLowest  = 1
	latencyHighest = 60_000_000
	latencyDigits  = 3
)

// Meter measures the published units of cameras. It is safe for concurrent use.
type Meter struct {
	began   time.Time
	cpu     time.Duration // of this process at the beginning
	order   []string
	mu      sync.Mutex
	cameras map[string]*cameraMeter
}

// cameraMeter measures one camera.
type cameraMeter struct {
	stages        *timing.Stages
	latency       *hdrhistogram.Histogram // from capture to the bus, µs
	width, height int
	pictures      uint64
	slates        uint64
	regions       uint64
	bytes         uint64
	first, last   time.Time
	reason        string // of the last slate
}

// NewMeter returns a Meter of these cameras; the time of the demo begins now.
func NewMeter(cameras []string) *Meter {
	m := &Meter{began: time.Now(), cpu: ownCPU(), order: cameras, cameras: make(map[string]*cameraMeter)}
	for _, name := range cameras {
		m.cameras[name] = &cameraMeter{stages: timing.New(), latency: hdrhistogram.New(latencyLowest, latencyHighest, latencyDigits)}
	}
	return m
}

// Observe counts one published unit; r is nil for a slate.
func (m *Meter) Observe(u *transport.RedactedUnit, r *ipc.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.cameras[u.Camera]
	if c == nil {
		return
	}
	c.bytes += uint64(len(u.Data))
	if r == nil {
		c.slates++
		c.reason = u.Reason
		return
	}
	now := time.Now()
	if c.pictures == 0 {
		c.first = now
	}
	c.last = now
	c.pictures++
	c.regions += uint64(len(r.Regions))
	c.width, c.height = u.Width, u.Height
	c.stages.Add(r)
	_ = c.latency.RecordValue(min(max(now.Sub(u.Captured).Microseconds(), latencyLowest), latencyHighest))
}

// Summary is the result of a demo.
type Summary struct {
	URL     string  `json:"url"` // of the page
	Seconds float64 `json:"seconds"`
	// CPU is the CPU time of Scrim (this process and the redactors, without the
	// drawn cameras) per picture, in milliseconds.
	CPU     float64         `json:"cpu_ms_per_frame"`
	Cameras []CameraSummary `json:"cameras"`
	// Measured is what was exposed; nil if that was not asked for.
	Measured *measure.Result `json:"measured,omitempty"`
}

// CameraSummary is the result of one camera.
type CameraSummary struct {
	Name    string  `json:"name"`
	Source  string  `json:"source"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Slates  uint64  `json:"slates"`
	Regions uint64  `json:"regions"`
	Bitrate float64 `json:"bits_per_second"`
	Reason  string  `json:"reason,omitempty"`
	// Latency is from capture to the redacted picture on the bus.
	Latency timing.Quantiles `json:"capture_to_bus"`
	timing.Summary
}

// Summary returns what was measured until now. sources are the URLs of the cameras.
func (m *Meter) Summary(url string, sources map[string]string) Summary {
	m.mu.Lock()
	defer m.mu.Unlock()
	elapsed := time.Since(m.began)
	s := Summary{URL: url, Seconds: elapsed.Seconds()}
	var pictures uint64
	var redactors float64
	for _, name := range m.order {
		c := m.cameras[name]
		q := func(p float64) float64 { return float64(c.latency.ValueAtQuantile(p)) / 1000 }
		sum := CameraSummary{
			Name: name, Source: sources[name], Width: c.width, Height: c.height, Slates: c.slates, Regions: c.regions,
			Bitrate: 8 * float64(c.bytes) / elapsed.Seconds(), Reason: c.reason,
			Latency: timing.Quantiles{Stage: "capture to bus", P50: q(50), P95: q(95), P99: q(99), Max: float64(c.latency.Max()) / 1000},
			Summary: c.stages.Summary(),
		}
		if d := c.last.Sub(c.first); c.pictures > 1 && d > 0 {
			sum.FPS = float64(c.pictures-1) / d.Seconds()
		}
		pictures += c.pictures
		redactors += sum.CPU * float64(c.pictures)
		s.Cameras = append(s.Cameras, sum)
	}
	if pictures > 0 {
		own := float64(ownCPU()-m.cpu) / float64(time.Millisecond)
		s.CPU = (own + redactors) / float64(pictures)
	}
	return s
}

// Check returns an error if a camera has shown no picture.
func (s Summary) Check() error {
	for _, c := range s.Cameras {
		if c.Pictures == 0 {
			return fmt.Errorf("demo: camera %s has shown no picture in %.0f s: %s", c.Name, s.Seconds, c.Reason)
		}
	}
	return nil
}

// Write prints the summary for people.
func (s Summary) Write(w io.Writer) error {
	for _, c := range s.Cameras {
		if _, err := fmt.Fprintf(w, "\ncamera %s: %d×%d, %d pictures, %.1f a second, %d regions, %d slates, %.0f kbit/s\n",
			c.Name, c.Width, c.Height, c.Pictures, c.FPS, c.Regions, c.Slates, c.Bitrate/1000); err != nil {
			return err
		}
		c.Stages = append(c.Stages, c.Latency)
		if err := c.Write(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%.0f s, CPU %.1f ms per picture (redactors and this process)\n", s.Seconds, s.CPU)
	if err != nil || s.Measured == nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return s.Measured.WriteTable(w)
}

// ownCPU returns the CPU time of this process so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
