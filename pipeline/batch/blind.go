package batch

import (
	"fmt"
	"strings"

	"scrim/pipeline/ipc"
)

// maxBlindText is the maximum number of runs of blind pictures that a line names.
const maxBlindText = 4

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
	parts := make([]string, 0, maxBlindText+1)
	for _, r := range end.BlindRuns[:min(len(end.BlindRuns), maxBlindText)] {
		text := r.Why + ", " + whatWasDone[r.Cover]
		if kind == ipc.Video {
			text = fmt.Sprintf("%.1f-%.1f s ", r.From, r.To) + text
		}
		parts = append(parts, text)
	}
	switch n := len(end.BlindRuns) - len(parts); {
	case len(end.BlindRuns) >= ipc.MaxFileBlind:
		parts = append(parts, "and many more")
	case n > 0:
		parts = append(parts, fmt.Sprintf("and %d more", n))
	}
	return "blind: " + strings.Join(parts, "; ")
}
