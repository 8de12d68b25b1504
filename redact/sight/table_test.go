package sight

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/models"
	"scrim/redact/condition"
)

// New weights see differently: pipeline/measure/sightfit makes a table for them.
func TestThereIsATableForTheWeightsThatAreBuiltIn(t *testing.T) {
	table, err := FindTable(models.BuiltIn().SHA256)
	require.NoError(t, err)
	require.NotNil(t, table, "fit a table to the new weights: go run ./pipeline/measure/sightfit --help")
	other, err := FindTable("")
	require.NoError(t, err)
	require.Nil(t, other)
}

// daylight is the condition of a sharp picture in daylight, at the scale of the detector's input.
var daylight = condition.Condition{Dark: 10, Median: 120, Bright: 245, Contrast: 55, Noise: 2, Blur: 0.35, Clipped: 0.01}

// Faces of 5 % of the height are 18 pixels high in an input of 640×360.
func TestCleanPicturesShowFacesOfFivePercentOfTheHeight(t *testing.T) {
	table := builtIn(t)
	require.Less(t, table.Size(daylight), 0.05*360)
}

func TestWorseConditionsNeverGiveABetterSight(t *testing.T) {
	table := builtIn(t)
	for name, worsen := range map[string]func(c *condition.Condition, by float64){
		"noise":    func(c *condition.Condition, by float64) { c.Noise = 2 + 60*by },
		"contrast": func(c *condition.Condition, by float64) { c.Contrast = 55 * (1 - by) },
		"blur":     func(c *condition.Condition, by float64) { c.Blur = 0.35 + 8*by },
		"light":    func(c *condition.Condition, by float64) { c.Median, c.Clipped = 150+105*by, 0.01+0.9*by },
	} {
		before := 0.0
		for by := 0.0; by <= 1; by += 1.0 / 64 {
			c := daylight
			worsen(&c, by)
			size := table.Size(c)
			require.GreaterOrEqual(t, size, before, "%s at %v", name, by)
			before = size
		}
		require.Greater(t, before, 2*table.Size(daylight), name)
	}
}

func TestWhatWasNeverMeasuredIsNotCertainAtAnySize(t *testing.T) {
	table := builtIn(t)
	c := condition.Condition{Dark: 0, Median: 1, Bright: 3, Contrast: 0.3, Noise: 3}
	require.True(t, math.IsInf(table.Size(c), 1), "%v", table.Size(c))
}

func TestTablesThatMakeNoSenseAreRefused(t *testing.T) {
	sane := *builtIn(t)
	for name, spoil := range map[string]func(*Table){
		"hash":         func(t *Table) { t.SHA256 = "abc" },
		"clean":        func(t *Table) { t.Clean = 0 },
		"base":         func(t *Table) { t.Base = math.Inf(-1) },
		"largest":      func(t *Table) { t.Largest = 1 },
		"no point":     func(t *Table) { t.Blur = nil },
		"falling":      func(t *Table) { t.Noise = Curve{{0, 1}, {1, 0.5}} },
		"rising":       func(t *Table) { t.Contrast = Curve{{0, 0.5}, {1, 1}} },
		"out of order": func(t *Table) { t.White = Curve{{1, 0}, {0, 1}} },
		"negative":     func(t *Table) { t.White = Curve{{0, -1}} },
		"unknown blur": func(t *Table) { t.UnknownBlur = -1 },
	} {
		bad := sane
		spoil(&bad)
		require.Error(t, bad.check(), name)
	}
	_, err := ParseTables([]byte(`{"tables": [{}]}`))
	require.Error(t, err)
	_, err = ParseTables([]byte("{"))
	require.Error(t, err)
}

func TestTablesAreReadAsTheyAreWritten(t *testing.T) {
	all, err := ParseTables(tables)
	require.NoError(t, err)
	data, err := FormatTables(all)
	require.NoError(t, err)
	require.Equal(t, string(tables), string(data))
}

func builtIn(t *testing.T) *Table {
	t.Helper()
	table, err := FindTable(models.BuiltIn().SHA256)
	require.NoError(t, err)
	require.NotNil(t, table)
	return table
}
