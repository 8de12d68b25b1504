package transport

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain makes text from outside (a device, a file, another process) fit for one
// line of a log, a page, a header or an SDP. The result is valid UTF-8 of at most
// maxBytes bytes, and Plain does not change it again. By Unicode category:
//
//	white space and control characters (Z*, Cc)   a single space between words
//	default-ignorable characters (Cf: bidi        removed
//	controls, zero-width characters; fillers,
//	variation selectors)
//	invalid bytes (one for a run), private use    "?"
//	and unassigned characters (Co, Cn)
//	anything else                                 kept
//
// Letters of any script, also from right to left, and combining marks are kept. The
// joiners of Persian, Sinhala and emoji are removed with the other zero-width
// characters: such text stays readable, and no two results differ in them only.
//
// Text that is cut ends in an ellipsis, which counts. The result does not share
// memory with s. Plain does not normalise and does not judge look-alikes, so it must
// not be used on names that identify something: those have CheckName.
func Plain(s string, maxBytes int) string {
	const ellipsis = "…"
	var b strings.Builder
	space, invalid := false, false
	fits := 0 // how much of b leaves room for the ellipsis
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		again := invalid
		switch invalid = r == utf8.RuneError && n == 1; {
		case invalid && again:
			continue
		case invalid:
			r = '?'
		case unicode.IsSpace(r), unicode.IsControl(r): // all of Z and Cc
			space = b.Len() > 0
			continue
		case unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			continue
		case !unicode.IsPrint(r):
			r = '?'
		}
		size := utf8.RuneLen(r)
		if space {
			size++
		}
		if b.Len()+size > maxBytes {
			if maxBytes < len(ellipsis) {
				return ""
			}
			return b.String()[:fits] + ellipsis
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		if b.Len()+len(ellipsis) <= maxBytes {
			fits = b.Len()
		}
	}
	return b.String()
}
