package models

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// weights is the file of the network that is built in, card what is said of it.
// Both are written by the training; nothing else in the code depends on them.
var (
	//go:embed scrim-face.onnx
	weights string
	//go:embed scrim-face.json
	card []byte
)

// Card describes the network that is built in, and how well it was measured to
// do. It may say more in its file than is read here.
type Card struct {
	Name        string `json:"name"`
	File        string `json:"file"`
	SHA256      string `json:"sha256"`
	Description string `json:"description"`
	Licence     string `json:"licence"`
	// Clean is the measurement on pictures without noise, in good light.
	Clean Clean `json:"clean"`
	// Crowds are the measurements on crowds that were not trained on, Stills those
	// on photographs of another source.
	Crowds []Condition `json:"crowds"`
	Stills []Condition `json:"stills"`
	// FallsShort says, a line each, what else was measured and is below what is wanted.
	FallsShort []string `json:"falls_short"`
}

// Condition says how many faces are covered under one condition, such as "noise 40",
// in percent: with the network that is built in, and with YuNet-n.
type Condition struct {
	Name           string  `json:"condition"`
	Faces          int     `json:"faces"`
	Covered        float64 `json:"covered_percent"`
	CoveredYuNetN  float64 `json:"yunet_n_covered_percent"`
	Obscured       float64 `json:"area_percent"` // of the pictures' area, in the mean
	ObscuredYuNetN float64 `json:"yunet_n_area_percent"`
	// Wanted is what is wanted at least; 0: nothing is.
	Wanted float64 `json:"wanted_percent"`
}

// Short returns the conditions under which fewer faces are covered than wanted.
func (c Card) Short() []Condition {
	var short []Condition
	for _, all := range [][]Condition{c.Crowds, c.Stills} {
		for _, m := range all {
			if m.Covered < m.Wanted {
				short = append(short, m)
			}
		}
	}
	return short
}

// Clean says which share of the labelled faces stays exposed, in percent: with
// the network that is built in, and with YuNet-n on the same pictures.
type Clean struct {
	Exposed       float64 `json:"exposed_percent"`
	ExposedYuNetN float64 `json:"yunet_n_exposed_percent"`
}

// BuiltIn returns the card of the network that is built in.
func BuiltIn() Card {
	var c Card
	if err := json.Unmarshal(card, &c); err != nil {
		panic(fmt.Sprintf("embedded scrim-face.json: %v", err)) // a test reads it
	}
	return c
}

// Weights returns the bytes of the network that is built in, an ONNX file. The
// caller owns them.
func Weights() []byte { return []byte(weights) }

// model returns the network as one of the known models.
func (c Card) model() Model {
	return Model{
		Name: c.Name, File: c.File, SHA256: c.SHA256, Licence: c.Licence, Description: c.Description, Size: int64(len(weights)),
	}
}
