package batch

import (
	"fmt"
	"slices"
	"strings"

	"scrim/pipeline/ipc"
)

const (
	// maxBlindText is the maximum number of spans of blind pictures that a line names.
	maxBlindText = 4
	// maxBlindGap is the longest time between two runs that are one span, in seconds.
	maxBlindGap = 0.5
)

// whatWasDone says what is obscured of blind pictures.
var whatWasDone = map[ipc.FileCover]string{
	ipc.CoverFaces:  "not covered",
	ipc.CoverPeople: "not covered",
	ipc.CoverMotion: "covered by motion",
	ipc.CoverWhole:  "obscured whole",
}

// blindText is one line about the pictures of a file in which the detector did not see,
// such as "blind: 12.3-15.0 s too dark, covered by motion".
func blindText(kind ipc.FileKind, end ipc.FileEnd) string {
	spans := joinRuns(end.BlindRuns)
	parts := make([]string, 0, maxBlindText+1)
	for _, r := range spans[:min(len(spans), maxBlindText)] {
		text := r.Why + ", " + whatWasDone[r.Cover]
		if kind == ipc.Video {
			text = fmt.Sprintf("%.1f-%.1f s ", r.From, r.To) + text
		}
		parts = append(parts, text)
	}
	switch n := len(spans) - len(parts); {
	case len(end.BlindRuns) >= ipc.MaxFileBlind:
		parts = append(parts, "and many more")
	case n > 0:
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return "blind: " + strings.Join(parts, "; ")
}

// joinRuns joins runs that follow one another and were covered in the same way: the reason
// may change from picture to picture. Why then lists the reasons.
func joinRuns(runs []ipc.FileBlind) []ipc.FileBlind {
	var spans []ipc.FileBlind
	var reasons [][]string
	for _, r := range runs {
		n := len(spans) - 1
		if n < 0 || spans[n].Cover != r.Cover || r.From-spans[n].To > maxBlindGap {
			spans, reasons = append(spans, r), append(reasons, []string{r.Why})
			continue
		}
		spans[n].To = r.To
		if !slices.Contains(reasons[n], r.Why) {
			reasons[n] = append(reasons[n], r.Why)
		}
	}
	for i := range spans {
		spans[i].Why = strings.Join(reasons[i], " or ")
	}
	return spans
}
