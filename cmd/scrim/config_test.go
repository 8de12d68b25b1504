package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
	"scrim/models"
)

func TestConfigCheckSaysWhereTheBuiltInDetectorFallsShort(t *testing.T) {
	card := models.Card{Name: "scrim-face", Crowds: []models.Condition{
		{Name: "clean", Covered: 95, Wanted: 92}, {Name: "night", Covered: 60, Wanted: 72},
	}}
	for model, says := range map[config.Model]bool{config.ModelAuto: true, "scrim-face": true, "yunet-n": false, "./other.onnx": false} {
		var out bytes.Buffer
		require.NoError(t, printShort(&out, &config.Config{Model: model}, card))
		require.Equal(t, says, out.Len() > 0, "%s: %s", model, &out)
		if says {
			require.Equal(t, `note: detector scrim-face covers 60 % of the faces under "night", and should cover 72 %; `+
				"models/training/release.py puts better weights in\n", out.String())
		}
	}
}
