package transport

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func TestPlainTextIsOneBoundedLine(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Acme\r\n  A1\x1b": "Acme A1", "  \t": "", "a\u00a0b\u3000c": "a b c", "a\u2028b\u2029c\u0085d": "a b c d",
		"\u202eevil\u2028": "evil", "pass\u200bword\ufeff": "password", "so\u00adft": "soft", "a\u3164b": "ab", "\u2066x\u2069": "x",
		"\xff": "?", "a\xff\xfe\xfdb\xed\xa0\x80": "a?b?", "\ue000": "?", "\U0010ffff": "?", "\u0378": "?", "\ufffd": "\ufffd",
		"ééééé": "éé…", "12345678": "12345678", "123456789": "12345…", "1234 6789": "1234…", "1234567 \n": "1234567",
	} {
		require.Equal(t, want, Plain(in, 8), "%q", in)
	}
}

func TestPlainTextKeepsTheLettersOfAllScripts(t *testing.T) {
	for in, want := range map[string]string{
		"مدخل ١": "مدخل ١", "שער ראשי": "שער ראשי", "दरवाज़ा": "दरवाज़ा", "ประตูหน้า": "ประตูหน้า", "正門": "正門", "Eingang Süd": "Eingang Süd",
		"Su\u0308d": "Su\u0308d", "می\u200cخواهم": "میخواهم", "ශ්\u200dරී": "ශ්රී", "👩\u200d👧 ❤\ufe0f": "👩👧 ❤",
	} {
		require.Equal(t, want, Plain(in, 100), "%q", in)
	}
}

func TestPlainTextOfFewBytes(t *testing.T) {
	for limit, want := range map[int]string{-1: "", 0: "", 1: "", 2: "", 3: "…", 4: "a…", 5: "ab…", 6: "abcdef"} {
		require.Equal(t, want, Plain("abcdef", limit), limit)
	}
}

func TestPlainTextIsCutAtARune(t *testing.T) {
	for _, text := range []string{strings.Repeat("a", 1000), strings.Repeat("ä", 1000)} {
		got := Plain(text, 300)
		require.LessOrEqual(t, len(got), 300)
		require.Greater(t, len(got), 300-2)
		require.True(t, strings.HasSuffix(got, "…"))
	}
}

func TestPlainTextSharesNoMemory(t *testing.T) {
	text := strings.Repeat("text", 1000)[:4]
	got := Plain(text, 10)
	require.Equal(t, text, got)
	require.NotSame(t, unsafe.StringData(text), unsafe.StringData(got))
	require.Zero(t, testing.AllocsPerRun(10, func() { _ = Plain("", 10) }))
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "a\u202eb", "\xff\xfe", "é…", " a  b ", "\u200d\ufe0f", "e\u0301", strings.Repeat("ä ", 100)} {
		f.Add(s, 8)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Plain(s, limit)
		require.True(t, utf8.ValidString(got), "%q", got)
		require.LessOrEqual(t, len(got), max(0, limit))
		require.Equal(t, got, Plain(got, limit))
		require.Equal(t, strings.Join(strings.Fields(got), " "), got)
		for _, r := range got {
			require.True(t, r == ' ' || unicode.IsPrint(r), "%U", r)
			require.False(t, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs), "%U", r)
		}
		if limit >= len(s) && limit >= 0 && !strings.Contains(s, "…") {
			require.NotContains(t, got, "…")
		}
	})
}
