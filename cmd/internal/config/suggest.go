package config

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxKeyBytes is the length from which keys are shortened.
	maxKeyBytes = 40
	// maxComparedBytes bounds the keys that are compared.
	maxComparedBytes = 128
)

// quoteKey quotes a key for an error.
func quoteKey(key string) string {
	if key = bound(key, maxKeyBytes); strconv.CanBackquote(key) && !strings.Contains(key, "\t") {
		return "`" + key + "`"
	}
	return strconv.Quote(key)
}

// suggest returns "; did you mean …?" for an unknown key: a known key with a similar
// name, or the same name one level below. Without one it lists the known keys.
func suggest(key string, fields []field) string {
	known := make([]string, 0, len(fields))
	for _, f := range fields {
		known = append(known, f.key)
	}
	if best := nearest(key, max(1, len(key)/3), known); best != "" {
		return fmt.Sprintf("; did you mean `%s`?", best)
	}
	for _, f := range fields {
		if isMapping(f.value) && fieldNamed(fieldsOf(f.value), key) != nil {
			return fmt.Sprintf("; did you mean `%s` in `%s`?", key, f.key)
		}
	}
	return "; known keys: " + strings.Join(known, ", ")
}

// nearest returns the first name with the smallest edit distance to a key, at most
// most, or "".
func nearest(key string, most int, names []string) string {
	best, distance := "", most+1
	for _, name := range names {
		if abs := max(len(key)-len(name), len(name)-len(key)); abs >= distance {
			continue
		}
		if d := editDistance(key, name); d < distance {
			best, distance = name, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	if len(a) > maxComparedBytes {
		return len(a)
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row
		row = make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before = last
	}
	return row[len(b)]
}
