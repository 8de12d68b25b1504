package transport

import "strings"

// Plain makes text that a device or a file may have chosen fit for one line of a
// log, a table or a page: without control characters and those that change the
// direction of writing, spaces joined, and at most so many bytes, of which an
// ellipsis says that there were more.
func Plain(s string, maxBytes int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxBytes {
		s = strings.ToValidUTF8(s[:maxBytes], "") + "…"
	}
	return s
}
