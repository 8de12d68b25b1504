package batch

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

func TestLineAboutBlindPictures(t *testing.T) {
	dark := ipc.FileBlind{From: 12.3, To: 15, Why: "too dark", Cover: ipc.CoverMotion}
	image := ipc.FileBlind{Why: "blurred", Cover: ipc.CoverWhole}
	many := make([]ipc.FileBlind, ipc.MaxFileBlind)
	for i := range many {
		many[i] = dark
		many[i].From += 10 * float64(i)
		many[i].To += 10 * float64(i)
	}
	flickers := []ipc.FileBlind{
		{From: 0, To: 0.52, Why: "too dark", Cover: ipc.CoverWhole},
		{From: 0.56, To: 0.56, Why: "too noisy", Cover: ipc.CoverWhole},
		{From: 0.6, To: 1.2, Why: "too dark", Cover: ipc.CoverWhole},
		{From: 1.24, To: 2, Why: "too dark", Cover: ipc.CoverMotion},
	}
	for _, c := range []struct {
		kind ipc.FileKind
		runs []ipc.FileBlind
		want string
	}{
		{ipc.Video, []ipc.FileBlind{dark}, "blind: 12.3-15.0 s too dark, covered by motion"},
		{ipc.Video, []ipc.FileBlind{dark, {From: 20, To: 21, Why: "too noisy", Cover: ipc.CoverFaces}},
			"blind: 12.3-15.0 s too dark, covered by motion; 20.0-21.0 s too noisy, not covered"},
		{ipc.Image, []ipc.FileBlind{image}, "blind: blurred, obscured whole"},
		{ipc.Video, many[:6], "blind: 12.3-15.0 s too dark, covered by motion; 22.3-25.0 s too dark, covered by motion; " +
			"32.3-35.0 s too dark, covered by motion; 42.3-45.0 s too dark, covered by motion; and 2 more"},
		{ipc.Video, flickers, "blind: 0.0-1.2 s too dark or too noisy, obscured whole; 1.2-2.0 s too dark, covered by motion"},
	} {
		require.Equal(t, c.want, blindText(c.kind, ipc.FileEnd{BlindRuns: c.runs}))
	}
	require.Contains(t, blindText(ipc.Video, ipc.FileEnd{BlindRuns: many}), "and many more")
}

func TestBlindPicturesAreReported(t *testing.T) {
	in := t.TempDir()
	writePNG(t, filepath.Join(in, "a.png"))
	const head = `{"frames":9,"failsafe":4,"blind":4,"blind_runs":[{"why":"too dark","cover":"whole"}]}`
	program := fakeRedactor(t, `printf 'SCR1H\000\000\000\000\000\000\002\000\000\000\000{}'
`+fmt.Sprintf(`printf 'SCR1E\000\000\000\000\000\000\%03o\000\000\000\000%s'
exec cat >/dev/null
`, len(head), head))
	r, text, err := redact(t.Context(), filepath.Join(in, "a.png"), filepath.Join(in, "b.png"), false, Options{Program: program})
	require.NoError(t, err)
	require.Empty(t, r.Failed)
	require.Equal(t, 1, r.Blind)
	require.EqualValues(t, 4, r.BlindFrames)
	require.Contains(t, text, `"blind: too dark, obscured whole"`)
	require.Contains(t, text, "a.png")
	require.NotContains(t, text, "pictures were obscured whole", "that is said already")
	require.Contains(t, r.String(), "4 frames obscured whole; 4 frames blind")
}
