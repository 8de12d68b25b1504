package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"scrim/pipeline/measure"
)

// Schema is the version of Result's JSON.
const Schema = 1

// Result is the result of scrim-bench. Times are in milliseconds, memory in MiB.
// Values that were not measured are null.
type Result struct {
	Schema   int               `json:"schema"`
	Time     time.Time         `json:"time"`
	Mode     string            `json:"mode"` // latency or capacity
	Machine  Machine           `json:"machine"`
	Versions map[string]string `json:"versions"`
	Model    Model             `json:"model"`
	Settings map[string]any    `json:"settings"`
	Source   Source            `json:"source"`

	// CPURatio is CPU divided by the CPU time of Baseline.
	CPURatio measure.Number `json:"cpu_ratio_to_baseline"`
	// CPU is the CPU time of the whole redactor process per picture, from Offline:
	// decode, inspect, track, obscure, encode.
	CPU measure.Number `json:"cpu_ms_per_frame"`
	// AddedLatency is the time from the camera's complete access unit to the published
	// redacted one.
	AddedLatency Quantiles `json:"added_latency_ms"`
	// ViewerLatency is the same, but to the last packet at a viewer.
	ViewerLatency *Quantiles `json:"added_latency_at_viewer_ms"`
	Stages        []Stage    `json:"stages"`
	Leaks         *Leaks     `json:"leaks"`
	// Cameras is the number of cameras; in capacity mode the largest number that held
	// their rate without a dropped picture or an exposed face.
	Cameras int `json:"cameras"`
	// In = Out + Dropped, the pictures of all cameras that were due during the
	// measurement.
	In      int `json:"frames_in"`
	Out     int `json:"frames_out"`
	Dropped int `json:"dropped"`

	Live     *Live     `json:"live"`
	Offline  *Loop     `json:"offline"`
	Baseline *Loop     `json:"baseline"`
	Peers    []Peer    `json:"peers"`
	Capacity *Capacity `json:"capacity"`

	// Percentiles of Added and AddedViewer: share of pictures in %, ms.
	Percentiles map[string][][2]float64 `json:"percentiles"`
	// Runs has a value per repetition of a measure, Windows one per second of
	// video, for Compare.
	Runs    map[string][]float64 `json:"runs"`
	Windows map[string][]float64 `json:"windows"`

	// Timeline is the added latency of the first camera's pictures in ms, for the
	// page.
	Timeline []float64 `json:"-"`
}

// Model is the detector's model.
type Model struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Engine returns the engine that ran the model and its instruction set, if known: the
// end of "yunet-n 640 on scrim avx512".
func (m Model) Engine() (name, instructions string) {
	_, on, _ := strings.Cut(m.Name, " on ")
	name, instructions, _ = strings.Cut(on, " ")
	return name, instructions
}

// Source is the video of the cameras.
type Source struct {
	// Scene is a preset of drawn people; File or URL is set instead for other videos.
	Scene string       `json:"scene,omitempty"`
	File  string       `json:"file,omitempty"`
	URL   string       `json:"url,omitempty"`
	Clips []SourceClip `json:"clips"`
}

// SourceClip is one clip; cameras use the clips in turn.
type SourceClip struct {
	Name    string  `json:"name"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Frames  int     `json:"frames"`
	Bitrate float64 `json:"bits_per_second"`
	People  int     `json:"people,omitempty"`
	MinFace int     `json:"min_face,omitempty"`
	MaxFace int     `json:"max_face,omitempty"`
	Seed    uint64  `json:"seed,omitempty"`
	// Drawing is the version of the code that draws people.
	Drawing int  `json:"drawing,omitempty"`
	Truth   bool `json:"truth"`
}

// Quantiles are times in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Stage holds the times of a stage, or of a sum of stages.
type Stage struct {
	Name  string `json:"stage"`
	Count int64  `json:"count"`
	Quantiles
}

// QuantilesOf returns the quantiles of a histogram of nanoseconds.
func QuantilesOf(h *hdrhistogram.Histogram) Quantiles {
	q := func(p float64) float64 { return millis(h.ValueAtQuantile(p)) }
	return Quantiles{q(50), q(95), q(99), millis(h.Max())}
}

func millis(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }

// Stages lists the stages and sums that have values.
func (h Histograms) Stages() []Stage {
	out := []Stage{}
	for _, name := range append(StageNames(), SumNames()...) {
		if h[name].TotalCount() > 0 {
			out = append(out, Stage{name, h[name].TotalCount(), QuantilesOf(h[name])})
		}
	}
	return out
}

// percentiles are the points of Percentiles.
var percentiles = []float64{0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.99}

// Percentiles returns points of the distribution of a stage's times: %, ms.
func (h Histograms) Percentiles(name string) [][2]float64 {
	var out [][2]float64
	for _, p := range percentiles {
		if float64(h[name].TotalCount())*(100-p) >= 100 { // a single picture must not decide a point
			out = append(out, [2]float64{p, millis(h[name].ValueAtQuantile(p))})
		}
	}
	return out
}

// Live is the cost of the programs while cameras run at their rate.
type Live struct {
	Seconds float64 `json:"seconds"`
	Viewers int     `json:"viewers"`
	// RedactorCPU, ScrimCPU and CPU are CPU times per published picture in ms: of the
	// redactors, of scrim (ingest, NATS, gateway), and of both.
	RedactorCPU float64 `json:"redactor_cpu_ms_per_frame"`
	ScrimCPU    float64 `json:"scrim_cpu_ms_per_frame"`
	CPU         float64 `json:"cpu_ms_per_frame"`
	// Cores is the CPU time of both per second.
	Cores float64 `json:"cpu_cores"`
	// RedactorBytes and ScrimBytes were allocated by Go code per published picture.
	RedactorBytes float64 `json:"redactor_bytes_allocated_per_frame"`
	ScrimBytes    float64 `json:"scrim_bytes_allocated_per_frame"`
	Memory        Sizes   `json:"memory_mib"`
	// Bitrate is the sum of the published video of all cameras.
	Bitrate float64      `json:"bits_per_second"`
	Slates  int          `json:"slates"`
	Cameras []CameraLive `json:"per_camera"`
}

// Sizes are amounts of memory in MiB.
type Sizes struct {
	// RedactorPeak, RedactorPSS and RedactorPrivate are the maxima of Memory over all
	// redactors. RedactorPSS is 0 if the kernel does not report it.
	RedactorPeak    float64 `json:"redactor_peak_rss"`
	RedactorPSS     float64 `json:"redactor_pss"`
	RedactorPrivate float64 `json:"redactor_private"`
	ScrimPeak       float64 `json:"scrim_peak_rss"`
	// Total is the largest PSS of all redactors and scrim; 0 if the kernel does not report it.
	Total float64 `json:"total_pss"`
	// Early and Late are the medians of the total PSS in the first and the last tenth of
	// the run. Late above Early means that memory grows.
	Early float64 `json:"total_pss_early"`
	Late  float64 `json:"total_pss_late"`
}

// SetTotals sets Total, Early and Late from the totals over time.
func (s *Sizes) SetTotals(totals []float64) {
	tenth := (len(totals) + 9) / 10
	if tenth == 0 {
		return
	}
	s.Total = slices.Max(totals)
	s.Early, s.Late = Median(totals[:tenth]), Median(totals[len(totals)-tenth:])
}

// CameraLive is the result of one camera. In = Out + Dropped.
type CameraLive struct {
	Name    string    `json:"name"`
	Clip    string    `json:"clip"`
	In      int       `json:"frames_in"`
	Out     int       `json:"frames_out"`
	Dropped int       `json:"dropped"`
	Seen    int       `json:"frames_at_viewer"`
	FPS     float64   `json:"fps"`
	Slates  int       `json:"slates"`
	Added   Quantiles `json:"added_latency_ms"`
	// Scrim's own counters during the measurement.
	UnitsDropped     uint64 `json:"units_dropped"`
	PicturesDropped  uint64 `json:"pictures_dropped"`
	PicturesWithheld uint64 `json:"pictures_withheld"`
	Restarts         uint64 `json:"restarts"`
}

// Loop is a process that processes each picture of a clip once, as fast as it can.
type Loop struct {
	What   string `json:"what"`
	Frames int    `json:"frames"`
	// Dropped must be 0.
	Dropped int `json:"dropped"`
	// CPU is the CPU time per picture in ms, without the start of the process and its
	// first pictures; TotalCPU includes them.
	CPU      float64 `json:"cpu_ms_per_frame"`
	TotalCPU float64 `json:"total_cpu_ms_per_frame"`
	// Wall is the elapsed time per picture in ms.
	Wall float64 `json:"wall_ms_per_frame"`
	// Bytes were allocated by Go code per picture.
	Bytes   float64 `json:"bytes_allocated_per_frame"`
	PeakRSS float64 `json:"peak_rss_mib"`
	Stages  []Stage `json:"stages,omitempty"`
	Leaks   *Leaks  `json:"leaks,omitempty"`
	// Seconds is CPU for each second of video.
	Seconds []float64 `json:"cpu_ms_per_frame_by_second,omitempty"`
}

// Peer is other software that does the same.
type Peer struct {
	Name string `json:"name"`
	// Skipped is why it was not measured.
	Skipped string `json:"skipped,omitempty"`
	Loop    *Loop  `json:"result,omitempty"`
	// Ratio is its CPU time per picture divided by Scrim's.
	Ratio measure.Number `json:"cpu_ratio_to_scrim"`
}

// maxResult bounds the file of a result, in bytes.
const maxResult = 64 << 20

// Read reads a result from a file.
func Read(path string) (*Result, error) {
	f, err := os.Open(path) //nolint:gosec // named by the user
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxResult+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxResult {
		return nil, fmt.Errorf("%s: not a result of scrim-bench: larger than %d bytes", path, maxResult)
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: not a result of scrim-bench: %w", path, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s: not a result of this scrim-bench: schema %d instead of %d; measure again", path, r.Schema, Schema)
	}
	return r, nil
}
