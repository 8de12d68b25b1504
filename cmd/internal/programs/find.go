// Package programs finds Scrim's other programs and the detector's model, and
// runs simulated cameras: what several commands need of their surroundings.
package programs

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"scrim/cmd/internal/config"
	"scrim/models"
	"scrim/pipeline/ipc"
)

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

// Detector says which model the redactors load, and logs it. A model that was named
// and is missing, or one that would be used and is corrupt, is an error.
func Detector(model config.Model, log *slog.Logger) (ipc.DetectConfig, error) {
	find := models.Find
	if model.IsPath() {
		find = models.Open
	}
	found, err := find(string(model))
	if err != nil {
		return ipc.DetectConfig{}, err
	}
	said := []any{"name", found.Name, "file", cmp.Or(found.Path, "built in")}
	if model == config.ModelAuto && found.Path != "" {
		said = append(said, "why", "it exposes fewer faces on clean pictures than "+models.BuiltIn().Name+", which is built in")
	}
	log.Info("face detection model", said...)
	return ipc.DetectConfig{Model: found.Path, ModelName: found.Name, SHA256: found.SHA256}, nil
}
