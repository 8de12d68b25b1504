package camera

import "scrim/transport"

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
