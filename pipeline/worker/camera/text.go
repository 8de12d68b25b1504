package camera

import (
	"image"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

func regions(in []ipc.Region) []transport.Region {
	out := make([]transport.Region, 0, len(in))
	for _, r := range in {
		out = append(out, transport.Region{
			Rect: image.Rect(r.Rect[0], r.Rect[1], r.Rect[0]+r.Rect[2], r.Rect[1]+r.Rect[3]),
			Face: transport.Box(r.Face), Score: r.Score, Source: r.Source, Track: r.Track,
		})
	}
	return out
}

// lines are at most maxProtections bounded lines.
func lines(list []string) []string {
	list = list[:min(len(list), maxProtections)]
	for i := range list {
		list[i] = oneLine(list[i])
	}
	return list
}

// oneLine makes one bounded line of text from another process, or from a camera
// through it.
func oneLine(text string) string { return transport.Plain(text, maxReason) }
