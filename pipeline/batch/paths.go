package batch

import (
	"os"
	"path/filepath"
	"slices"

	"scrim/pipeline/ipc"
)

// maxPaths bounds the paths on the command line of a redactor of files.
const maxPaths = 256

// pathArgs are the arguments that name what a redactor of files may access. It gives up
// everything else before it reads the first file's name.
func pathArgs(list []ipc.File, d ipc.DetectConfig) (args []string) {
	read, write := make([]string, 0, len(list)), make([]string, 0, len(list))
	for _, f := range list {
		read = append(read, resolved(f.In)) // access is checked after links are resolved
		write = append(write, existing(filepath.Dir(f.Out)))
	}
	args = append(args, ipc.ReadArgs(d)...)
	for _, path := range merge(read) {
		args = append(args, ipc.ReadArg+path)
	}
	for _, path := range merge(write) {
		args = append(args, ipc.WriteArg+path)
	}
	return args
}

// existing returns the nearest folder that exists; those below it are created later.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// merge returns the paths without duplicates, or their folders if there are too many.
func merge(paths []string) []string {
	for {
		slices.Sort(paths)
		paths = slices.Compact(paths)
		if len(paths) <= maxPaths {
			return paths
		}
		for i, p := range paths {
			paths[i] = filepath.Dir(p)
		}
	}
}
