package camera

import (
	"image"
	"strings"
	"unicode"

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

// oneLine makes one bounded line of what another process, or a camera through
// it, has said.
func oneLine(text string) string {
	text = flat(text)
	if r := []rune(text); len(r) > maxReason {
		return string(r[:maxReason-1]) + "…"
	}
	return text
}

// cut is oneLine with a limit in bytes, for the log.
func cut(text string, limit int) string {
	const more = "…"
	if text = flat(text); len(text) > limit {
		return strings.ToValidUTF8(text[:limit-len(more)], "") + more
	}
	return text
}

// flat is text in one line, of what can be printed.
func flat(text string) string {
	text = strings.ToValidUTF8(text, "?")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}
