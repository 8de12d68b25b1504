package measure

import (
	"math"
	"strconv"
)

// Number is a result. NaN means that there was nothing to measure; it is null in JSON and
// a dash in text.
type Number float64

// none means that there was nothing to measure.
var none = Number(math.NaN())

// Known reports whether the number was measured.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Known() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 10, 64), nil
}

// Percent prints a share, such as "0.1 %".
func (n Number) Percent() string {
	if !n.Known() {
		return "–"
	}
	v := 100 * float64(n)
	digits := 1
	switch {
	case v == 0 || v == 100:
		digits = 0
	case v < 1 || v > 99: // more digits near 0 and 100
		digits = 3
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " %"
}

// Plain formats the number with a number of decimals.
func (n Number) Plain(digits int) string {
	if !n.Known() {
		return "–"
	}
	return strconv.FormatFloat(float64(n), 'f', digits, 64)
}

// over returns a/b, or none if b is 0.
func over[A, B int | float64](a A, b B) Number {
	if b == 0 {
		return none
	}
	return Number(float64(a) / float64(b))
}
