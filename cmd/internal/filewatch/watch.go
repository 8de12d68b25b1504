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
	// quiet is how long nothing must have happened before a change is told: editors
	// write in several steps.
	quiet = 250 * time.Millisecond
	// maxQuiet is how long that is waited for at most.
	maxQuiet = 2 * time.Second
)

// Files watches some files by way of the folders that they are in.
type Files struct {
	notify *fsnotify.Watcher

	mu    sync.Mutex
	files []string
	seen  map[string]os.FileInfo // nil: it is not there
}

// New watches nothing yet; the caller closes it.
func New() (*Files, error) {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	return &Files{notify: n, seen: map[string]os.FileInfo{}}, nil
}

// Close ends watching.
func (f *Files) Close() { _ = f.notify.Close() }

// Set says which files are watched from now on. It is an error when one cannot be;
// the others are.
func (f *Files) Set(files ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var dirs []string
	seen := map[string]os.FileInfo{}
	for _, file := range files {
		seen[file] = f.seen[file]
		if _, known := f.seen[file]; !known {
			seen[file] = look(file)
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
			_ = f.notify.Remove(dir) // it may be gone
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

// look returns what identifies a file's content without reading it.
func look(file string) os.FileInfo {
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
		before, now := f.seen[file], look(file)
		same := before == nil && now == nil ||
			before != nil && now != nil && os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) && before.Size() == now.Size()
		changed = changed || !same
		f.seen[file] = now
	}
	return changed
}

// Run calls changed whenever a file has changed and it has been quiet since for a
// moment, until ctx ends.
func (f *Files) Run(ctx context.Context, changed func()) {
	var first time.Time // of the events that are waiting
	timer := time.NewTimer(0)
	defer timer.Stop() // the first time looks for what happened before Run
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
		timer.Reset(min(quiet, max(0, maxQuiet-time.Since(first))))
	}
}
