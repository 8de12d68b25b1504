package measure_test

import (
	"fmt"
	"strings"

	"scrim/pipeline/measure"
)

// A report is scored against the truth:
//
//  1. Read where the faces truly were: what `scrim-camera --truth` writes, one line a
//     frame.
//  2. Read what was obscured: what `scrim redact --report` writes.
//  3. Score one against the other. In frame 1 the face has left the region.
//  4. Read the result, or write it as a table or as a page.
func Example() {
	truths, err := measure.ReadTruth(strings.NewReader(`
{"frame":0,"pts":0.00,"width":640,"height":360,"faces":[{"person":1,"x":100,"y":80,"w":40,"h":50,"visible":1,"yaw":0,"roll":0}]}
{"frame":1,"pts":0.04,"width":640,"height":360,"faces":[{"person":1,"x":300,"y":80,"w":40,"h":50,"visible":1,"yaw":0,"roll":0}]}
`), "truth.jsonl") // 1
	if err != nil {
		panic(err)
	}
	const region = `{"x":90,"y":60,"w":60,"h":80,"face":{"x":100,"y":80,"w":40,"h":50},"score":0.9,"source":"detected","track":1}`
	reports, err := measure.ReadReport(strings.NewReader(`
{"file":"hall.mp4","frame":0,"pts":0.00,"width":640,"height":360,"regions":[`+region+`]}
{"file":"hall.mp4","frame":1,"pts":0.04,"width":640,"height":360,"regions":[`+region+`]}
`), "report.jsonl") // 2
	if err != nil {
		panic(err)
	}

	result, err := measure.Score([]measure.Pair{{Truth: truths[0], Report: reports[0]}}, measure.Options{Filter: measure.DefaultFilter}) // 3
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d faces in %d frames\n", result.Headline.Faces, result.Frames) // 4
	for _, leak := range result.Leaks {
		fmt.Printf("person %d is exposed from frame %d to %d\n", leak.Person, leak.First, leak.Last)
	}
	// Output:
	// 2 faces in 2 frames
	// person 1 is exposed from frame 1 to 1
}
