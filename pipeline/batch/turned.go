package batch

import (
	"fmt"

	"scrim/pipeline/ipc"
	"scrim/redact/geom"
)

// minTurned is the least number of faces, each counted in each picture, from which a
// rotation is suggested.
const minTurned = 3

// sureFace is the score from which on a face says how the picture lies; see scrim-redactor,
// which looks for probe.
const sureFace = 0.6

// turnedFaces counts the faces that were found in a file, each in each picture, by how
// they lie.
type turnedFaces map[geom.Rotation]int

// add counts the faces of one picture.
func (n turnedFaces) add(f ipc.FileFrame) {
	counted := make(map[uint64]bool, len(f.Regions))
	for _, r := range f.Regions {
		if r.Source == geom.Detected && r.Score >= sureFace && !counted[r.Track] {
			counted[r.Track] = true // it may have several rectangles
			n[r.Rotation]++
		}
	}
}

// advice returns one line if most faces lie the same way and are not upright, else nothing.
func (n turnedFaces) advice() string {
	all := 0
	for _, faces := range n {
		all += faces
	}
	for _, r := range geom.Rotations[1:] {
		if faces := n[r]; faces >= minTurned && 2*faces > all {
			return fmt.Sprintf("%d of %d faces are not upright; if the file is turned, --rotate %d finds more of them", faces, all, r)
		}
	}
	return ""
}
