// Package programs finds Scrim's other programs and the detector's model, and runs
// simulated cameras, for several commands.
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
// was named by a flag, the one next to this program, or the one in PATH.
func Find(name, flag, named string) (string, error) {
	if named != "" {
		path, err := filepath.Abs(named)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w; correct %s, or omit it if the program is next to scrim", name, err, flag)
		}
		return path, nil
	}
	if exe, err := os.Executable(); err == nil {
		sibling := filepath.Join(filepath.Dir(exe), name)
		if _, err := os.Stat(sibling); err == nil {
			return sibling, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is neither next to scrim nor in PATH; build it with `make build`, or pass its path with %s", name, flag)
	}
	return filepath.Abs(path)
}

// Detector returns the model that redactors load, and logs it. A missing or corrupt
// model is an error.
func Detector(model config.Model, log *slog.Logger) (ipc.DetectConfig, error) {
	find := models.Find
	if model.IsPath() {
		find = models.Open
	}
	found, err := find(string(model))
	if err != nil {
		return ipc.DetectConfig{}, err
	}
	attrs := []any{"name", found.Name, "file", cmp.Or(found.Path, "built in")}
	if model == config.ModelAuto && found.Path != "" {
		attrs = append(attrs, "reason", "exposes fewer faces on clean pictures than the built-in "+models.BuiltIn().Name)
	}
	log.Info("face detection model", attrs...)
	return ipc.DetectConfig{Model: found.Path, ModelName: found.Name, SHA256: found.SHA256}, nil
}
