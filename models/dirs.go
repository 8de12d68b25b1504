package models

import (
	"os"
	"path/filepath"
	"slices"
)

// EnvDirs is the environment variable that names folders with models, several
// separated as in PATH.
const EnvDirs = "SCRIM_MODELS"

// systemDir is where packages of the operating system put models.
const systemDir = "/usr/share/scrim/models"

// Dirs returns the folders where models are looked for, in that order: those
// of $SCRIM_MODELS, scrim/models in the user's data folder (XDG), and
// /usr/share/scrim/models. All are absolute; none need exist. The environment
// is read at each call. It is safe for concurrent use.
//
// The first is where models are put when nothing else is said.
func Dirs() []string {
	dirs := filepath.SplitList(os.Getenv(EnvDirs))
	if home := dataHome(); home != "" {
		dirs = append(dirs, filepath.Join(home, "scrim", "models"))
	}
	dirs = append(dirs, systemDir)
	out := make([]string, 0, len(dirs))
	for _, dir := range dirs {
		// An empty element is a slip of the pen, not the current folder.
		if dir == "" {
			continue
		}
		abs, err := filepath.Abs(dir)
		if err == nil && !slices.Contains(out, abs) {
			out = append(out, abs)
		}
	}
	return out
}

// dataHome returns the user's data folder, by the XDG Base Directory
// Specification, which ignores a path that is not absolute; "" for a service
// that has none.
func dataHome() string {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	if home := os.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "share")
	}
	return ""
}
