// Package trace records the published pictures of a worker: one line of JSON each,
// with the time of each stage and the obscured regions. It holds times and rectangles,
// but no picture data.
package trace

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/metrics"
	"sync"
	"time"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
	"scrim/transport"
)

// MaxLine bounds a line in bytes.
const MaxLine = 1 << 20

// Line is one published picture or slate.
type Line struct {
	Camera string `json:"camera"`
	// Captured, Arrived (the access unit was complete) and Published (the redacted one
	// was passed to NATS) are Unix times in nanoseconds.
	Captured  int64 `json:"captured"`
	Arrived   int64 `json:"arrived,omitempty"`
	Published int64 `json:"published"`
	PTS       int64 `json:"pts"`
	Key       bool  `json:"key,omitempty"`
	Bytes     int   `json:"bytes"`
	Width     int   `json:"width"`
	Height    int   `json:"height"`
	// Slate is the reason of a slate; empty for a picture.
	Slate string `json:"slate,omitempty"`
	// Blind is why it is not proved that the detector sees in a picture of a camera that is
	// blind.
	Blind   string              `json:"blind,omitempty"`
	Regions []geom.RegionRecord `json:"regions,omitempty"`
	Stages  *ipc.Stages         `json:"stages,omitempty"`
	// Allocated is how many bytes the worker's process has allocated so far.
	Allocated uint64 `json:"allocated"`
}

// Writer writes lines. It is safe for concurrent use.
type Writer struct {
	mu   sync.Mutex
	f    *os.File
	json *json.Encoder
	heap []metrics.Sample
	err  error
	log  *slog.Logger
}

// Create creates the file. The caller must close it. Only its owner can read it,
// because it shows when people were where. An existing file with content is an error;
// a pipe or a device is written to. The first write error is logged.
func Create(path string, log *slog.Logger) (*Writer, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return &Writer{f: f, json: json.NewEncoder(f), heap: []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}, log: log}, nil
}

func open(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // named by the user
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // named by the user
	if errors.Is(err, os.ErrExist) {
		if info, err := os.Stat(path); err == nil && info.Size() == 0 { // from a failed start
			f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // named by the user
			if err != nil {
				return nil, err
			}
			return f, f.Chmod(0o600)
		}
		return nil, fmt.Errorf("%s: %w; use another name, or remove it", path, os.ErrExist)
	}
	return f, err
}

// Observe writes a published unit. Each line is written immediately, so that it is
// complete even if the process is killed.
func (w *Writer) Observe(u *transport.RedactedUnit, r *ipc.Record) {
	line := Line{
		Camera: u.Camera, Captured: u.Captured.UnixNano(), Published: time.Now().UnixNano(),
		PTS: u.PTS, Key: u.Key, Bytes: len(u.Data), Width: u.Width, Height: u.Height,
	}
	if u.State == transport.StateBlind {
		line.Blind = u.Reason
	}
	if r == nil {
		line.Slate = cmp.Or(u.Reason, "unknown")
	} else {
		line.Arrived, line.Regions, line.Stages = r.Arrived, r.Regions, &r.Stages
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	metrics.Read(w.heap)
	if w.heap[0].Value.Kind() == metrics.KindUint64 {
		line.Allocated = w.heap[0].Value.Uint64()
	}
	if err := w.json.Encode(line); err != nil && w.err == nil {
		w.err = err
		w.log.Error("trace write failed; lines are missing from here on", "error", err)
	}
}

// Close closes the file and returns the first error.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(w.err, w.f.Close()); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}

// Read calls each for every line, which is valid until each returns. The last line may
// be incomplete, as after a killed process.
func Read(r io.Reader, each func(*Line) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), MaxLine)
	var cut error
	for n := 1; in.Scan(); n++ {
		if cut != nil {
			return cut
		}
		var line Line
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			cut = fmt.Errorf("trace: line %d: %w", n, err)
			continue
		}
		if err := each(&line); err != nil {
			return err
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}
