package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"scrim/cmd/internal/bench"
	"scrim/cmd/internal/programs"
	"scrim/cmd/internal/trace"
	"scrim/transport"
)

const (
	// startTime is the time limit for scrim to serve its page. liveTime is the limit for
	// cameras to become live, plus liveTimeFor each.
	startTime   = 20 * time.Second
	liveTime    = 20 * time.Second
	liveTimeFor = 2 * time.Second
	pollEvery   = 100 * time.Millisecond
	// endTime is the time limit for scrim to exit.
	endTime = 10 * time.Second
	// keptLines is how many lines of scrim's log are kept for errors.
	keptLines = 5
)

// site is `scrim serve` with replaying cameras, each a separate process.
type site struct {
	m       *measurement
	cameras []*programs.Camera
	names   []string
	clips   []*bench.Clip // of each camera
	cmd     *exec.Cmd
	base    string // URL of the page
	traced  string
	done    chan struct{} // closed when scrim has exited

	mu    sync.Mutex
	lines []string // the last warnings of its log
}

// startSite starts n cameras and scrim. The caller must close it, even after an error.
func (m *measurement) startSite(ctx context.Context, clips []*bench.Clip, n int) (*site, error) {
	s := &site{m: m, done: make(chan struct{})}
	var urls []string
	for i := range n {
		s.names = append(s.names, fmt.Sprintf("camera-%d", i+1))
		clip := clips[i%len(clips)]
		s.clips = append(s.clips, clip)
		if m.cli.live() {
			urls = append(urls, m.cli.Source)
			continue
		}
		c, err := programs.StartCamera(ctx, m.camera, clip.Path, "--replay", "--listen", "127.0.0.1:0", "--path", s.names[i])
		if err != nil {
			return s, fmt.Errorf("camera %d: %w", i+1, err)
		}
		s.cameras = append(s.cameras, c)
		urls = append(urls, c.URL)
	}
	return s, s.serve(ctx, urls)
}

// serve starts scrim.
func (s *site) serve(ctx context.Context, urls []string) error {
	dir, err := os.MkdirTemp(s.m.dir, "site-")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "scrim.yaml")
	if err := os.WriteFile(file, []byte(s.m.yaml(s.names, urls)), 0o600); err != nil {
		return err
	}
	s.traced = filepath.Join(dir, "trace.jsonl")
	args := []string{"--log-format", "json", "serve", file, "--trace", s.traced, "--redactor", s.m.redactor, "--model", s.m.model()}
	cmd := exec.Command(s.m.scrim, args...) //nolint:gosec // chosen by the user
	// Ctrl-C is for this program only, which then stops the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	page := make(chan string, 1)
	go func() {
		defer close(s.done)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			s.logLine(in.Bytes(), page)
		}
		_, _ = io.Copy(io.Discard, stderr) // the rest after a line that is too long
		_ = cmd.Wait()
	}()
	timeout := time.NewTimer(startTime)
	defer timeout.Stop()
	select {
	case s.base = <-page:
		return nil
	case <-s.done:
		return fmt.Errorf("scrim exited: %s", s.warnings())
	case <-timeout.C:
		return fmt.Errorf("scrim served no page within %v: %s", startTime, s.warnings())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logLine handles a line of scrim's log.
func (s *site) logLine(line []byte, page chan<- string) {
	var entry struct{ Msg, URL, Level string }
	if json.Unmarshal(line, &entry) == nil && entry.Msg == "page" {
		page <- entry.URL
		return
	}
	if entry.Level == "INFO" || entry.Level == "DEBUG" {
		s.m.log.Debug("scrim", "log", string(line))
		return
	}
	s.m.log.Info("scrim", "log", string(line))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, string(line))
	s.lines = s.lines[max(0, len(s.lines)-keptLines):]
}

// warnings returns the last of scrim's warnings.
func (s *site) warnings() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, " ")
}

// status requests the state of all cameras.
func (s *site) status(ctx context.Context) (map[string]transport.Status, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/api/cameras", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	var list []transport.Status
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return nil, err
	}
	out := make(map[string]transport.Status, len(list))
	for i := range list {
		out[list[i].Camera] = list[i]
	}
	return out, nil
}

// live waits until all cameras are live. Its error names one that is not, and the reason.
func (s *site) live(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, liveTime+time.Duration(len(s.names))*liveTimeFor)
	defer cancel()
	missing := "no status"
	for {
		states, err := s.status(limit)
		if err == nil {
			missing = ""
			for _, name := range s.names {
				if st := states[name]; st.State != transport.StateLive {
					missing = fmt.Sprintf("%s is %s, %s", name, st.State, st.Reason)
				}
			}
			if missing == "" {
				return nil
			}
		}
		select {
		case <-time.After(pollEvery):
		case <-s.done:
			return fmt.Errorf("scrim exited: %s", s.warnings())
		case <-limit.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("not all cameras became live: %s %s", missing, s.warnings())
		}
	}
}

// trace reads scrim's trace, by camera.
func (s *site) trace() (map[string][]*trace.Line, error) {
	f, err := os.Open(s.traced)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	out := make(map[string][]*trace.Line)
	err = trace.Read(f, func(l *trace.Line) error {
		kept := *l
		out[l.Camera] = append(out[l.Camera], &kept)
		return nil
	})
	return out, err
}

// stop ends scrim, which completes its trace.
func (s *site) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(endTime, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	<-s.done
}

// close ends everything.
func (s *site) close() {
	s.stop()
	for _, c := range s.cameras {
		c.Close()
	}
}

// yaml returns the configuration of scrim.
func (m *measurement) yaml(names, urls []string) string {
	s := m.cli.settings()
	var b strings.Builder
	fmt.Fprintf(&b, "site: bench\nhttp: {listen: '127.0.0.1:0'}\ndefaults:\n")
	fmt.Fprintf(&b, "  lookahead: %d\n  detect: {engine: %s, size: %d, threshold: %g, tiles: %t, skip_unchanged: %t}\n  obscure: {style: %s}\n",
		int(s.Lookahead), s.Detect.Engine, int(s.Detect.Size), float64(s.Detect.Threshold), s.Detect.Tiles, s.Detect.SkipUnchanged, s.Obscure.Style)
	fmt.Fprintf(&b, "  cover: %s\n  need: %s\n", s.Cover, s.Need)
	b.WriteString("cameras:\n")
	for i := range names {
		url, _ := json.Marshal(urls[i]) // JSON's strings are YAML's
		fmt.Fprintf(&b, "  - {name: %s, url: %s}\n", names[i], url)
	}
	return b.String()
}
