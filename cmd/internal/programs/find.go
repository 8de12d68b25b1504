// Package programs finds Scrim's other programs and the detector's model, and
// runs simulated cameras: what several commands need of their surroundings.
package programs

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"scrim/cmd/internal/config"
	"scrim/models"
	"scrim/pipeline/wire"
)

// cascadeDirs are where OpenCV's cascades are installed.
var cascadeDirs = []string{
	"/usr/share/opencv4/haarcascades",
	"/usr/local/share/opencv4/haarcascades",
	"/usr/share/opencv/haarcascades",
	"/opt/homebrew/share/opencv4/haarcascades",
}

// Find returns the path of another of Scrim's programs: the one that
// was named by a flag, the one beside this program, or the one in PATH.
func Find(name, flag, named string) (string, error) {
	if named != "" {
		path, err := filepath.Abs(named)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w; name the program with %s, or leave that out where it lies beside scrim", name, err, flag)
		}
		return path, nil
	}
	if exe, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(exe), name)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside scrim nor in PATH; `make build` makes it, and %s says where it is", name, flag)
	}
	return filepath.Abs(path)
}

// Detector says which model the redactors load. Without any model they
// fall back on the cascades, loudly; a model that was named and is missing, or
// one that is corrupt, is an error.
func Detector(model string, log *slog.Logger) (wire.DetectConfig, error) {
	var found models.Found
	var err error
	if (&config.Config{Model: model}).ModelIsPath() {
		found, err = models.Open(model)
	} else {
		found, err = models.Find(model)
	}
	switch {
	case err == nil:
		log.Info("face detection model", "name", found.Name, "file", found.Path)
		return wire.DetectConfig{Model: found.Path, ModelName: found.Name, SHA256: found.SHA256}, nil
	case model == "" && errors.Is(err, models.ErrNotFound):
		dir := cascadeDirs[0]
		for _, d := range cascadeDirs {
			if _, err := os.Stat(d); err == nil {
				dir = d
				break
			}
		}
		log.Warn("LAST RESORT: no face detection model found; OpenCV's cascades miss most profiles, tilted and small faces. Run `scrim models pull`", "error", err)
		return wire.DetectConfig{CascadeDir: dir}, nil
	}
	return wire.DetectConfig{}, err
}
