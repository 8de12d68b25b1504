package filewatch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is the time without events before a change is reported: editors write in
	// several steps.
	settle = 250 * time.Millisecond
	// maxSettle is the longest delay of a report.
	maxSettle = 2 * time.Second
)

// Files watches files through their folders. Set may be called during Run.
type Files struct {
	notify *fsnotify.Watcher

	mu    sync.Mutex
	files []string
	seen  map[string]os.FileInfo // nil if the file does not exist
}

// New returns a watcher without files. The caller must close it.
func New() (*Files, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return &Files{notify: n, seen: map[string]os.FileInfo{}}, nil
}

// Close stops watching.
func (f *Files) Close() { _ = f.notify.Close() }

// Set sets the watched files. If it returns an error, one of them cannot be watched;
// the others are.
func (f *Files) Set(files ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var dirs []string
	seen := map[string]os.FileInfo{}
	for _, file := range files {
		seen[file] = f.seen[file]
		if _, known := f.seen[file]; !known {
			seen[file] = stat(file)
		}
		dirs = append(dirs, filepath.Dir(file))
		if target, err := filepath.EvalSymlinks(file); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	f.files, f.seen = slices.Clone(files), seen
	watched := f.notify.WatchList()
	for _, dir := range watched {
		if !slices.Contains(dirs, dir) {
			_ = f.notify.Remove(dir) // it may not exist any more
		}
	}
	var failed error
	for _, dir := range dirs {
		if err := f.notify.Add(dir); err != nil && failed == nil {
			failed = fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return failed
}

// stat returns what identifies a file's content without reading it; nil if it does not exist.
func stat(file string) os.FileInfo {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	return info
}

// differ reports whether a file has changed since the last call.
func (f *Files) differ() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := false
	for _, file := range f.files {
		before, now := f.seen[file], stat(file)
		same := before == nil && now == nil ||
			before != nil && now != nil && os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
		changed = changed || !same
		f.seen[file] = now
	}
	return changed
}

// Run calls changed after each change of a file, once events have settled, until ctx
// ends.
func (f *Files) Run(ctx context.Context, changed func()) {
	var first time.Time // time of the first pending event
	timer := time.NewTimer(0)
	defer timer.Stop() // it fires at once, for changes before Run
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-f.notify.Events:
			if !ok {
				return
			}
		case _, ok := <-f.notify.Errors: // events were lost
			if !ok {
				return
			}
		case <-timer.C:
			first = time.Time{}
			if f.differ() {
				changed()
			}
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		timer.Reset(min(settle, max(0, maxSettle-time.Since(first))))
	}
}
