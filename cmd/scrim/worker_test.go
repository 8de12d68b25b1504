package main

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
)

// A redactor that is started later checks its protections itself.
func TestRequiredSandboxIsRequiredOfEveryRedactor(t *testing.T) {
	for name, required := range map[string]struct{ flag, file bool }{"flag": {true, false}, "file": {false, true}, "neither": {}} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			cfg.RequireSandbox = required.file
			url, err := config.NewCameraURL("rtsp://192.0.2.1/")
			require.NoError(t, err)
			cfg.Cameras = []config.Camera{{Name: "hall", URL: url}, {Name: "yard", URL: url}}
			s := &workerSetup{flags: WorkerFlags{RequireSandbox: required.flag}, log: slog.New(slog.DiscardHandler)}
			c, err := s.config(cfg)
			require.NoError(t, err)
			require.Equal(t, required.flag || required.file, c.RequireSandbox)
			require.Len(t, c.Cameras, 2)
			for _, camera := range c.Cameras {
				require.Equal(t, c.RequireSandbox, camera.Redactor.RequireSandbox)
			}
		})
	}
}
