package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/cmd/internal/config"
	"scrim/models"
)

func TestConfigCheckNamesTheDetectorAndWhereItFallsShort(t *testing.T) {
	t.Setenv("SCRIM_MODELS", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	card := models.Card{Name: "scrim-face", Crowds: []models.Condition{
		{Name: "clean", Covered: 95, Wanted: 92}, {Name: "night", Covered: 60, Wanted: 72},
	}, FallsShort: []string{"clips: 2 faces left"}}
	for model, want := range map[config.Model]string{
		config.ModelAuto: "detector: scrim-face, built in\nnote: detector scrim-face covers 60 % of the faces under \"night\", less than the 72 % wanted; " +
			"models/training/release.py in the source installs better weights\nnote: detector scrim-face: clips: 2 faces left\n",
		"./absent.onnx": "absent.onnx: no such file",
	} {
		var out bytes.Buffer
		printDetector(&out, model, card)
		require.Contains(t, out.String(), want)
	}
	var out bytes.Buffer
	card.Crowds, card.FallsShort = nil, nil
	printDetector(&out, "scrim-face", card)
	require.Equal(t, "detector: scrim-face, built in\n", out.String())
}
