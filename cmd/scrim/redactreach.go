package main

import (
	"os"
	"path/filepath"
	"slices"

	"scrim/pipeline/ipc"
)

// maxReach bounds how many paths a redactor of files is told on its command line.
const maxReach = 256

// reach are the arguments that name what a redactor of files may touch: it gives
// up everything else before it is told the first file.
func reach(list []ipc.File, d ipc.DetectConfig) (args []string) {
	read, write := make([]string, 0, len(list)), make([]string, 0, len(list))
	for _, f := range list {
		read = append(read, resolved(f.In)) // where a link leads to is what counts
		write = append(write, existing(filepath.Dir(f.Out)))
	}
	args = append(args, ipc.ReadArgs(d)...)
	for _, path := range few(read) {
		args = append(args, ipc.ReadArg+path)
	}
	for _, path := range few(write) {
		args = append(args, "--write="+path)
	}
	return args
}

// existing is the nearest folder that is there; those below it are made later.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// few returns the paths, each once, or folders that hold them where there are
// too many.
func few(paths []string) []string {
	for {
		slices.Sort(paths)
		paths = slices.Compact(paths)
		if len(paths) <= maxReach {
			return paths
		}
		for i, p := range paths {
			paths[i] = filepath.Dir(p)
		}
	}
}
