package batch

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/ipc"
)

// drawn is what the bar has drawn last.
func drawn(b *bytes.Buffer) string {
	lines := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\r' || r == '\n' })
	for _, line := range slices.Backward(lines) {
		if strings.TrimSpace(line) != "" {
			return line
		}
	}
	return ""
}

func TestBarShowsFileFrameSpeedAndTimeLeft(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1_700_000_000, 0)
	b := newProgress(&out, &Plan{
		files: []ipc.File{{Name: "in/a.mp4", Kind: ipc.Video}, {Name: "in/b.png", Kind: ipc.Image}},
		sizes: []int64{9_000_000, 1_000_000}, total: 10_000_000,
	}, func() time.Time { return now })
	b.next(0)
	b.expect(100)
	for range 9 {
		now = now.Add(50 * time.Millisecond)
		b.step()
	}
	require.Contains(t, drawn(&out), "a.mp4 (1/2) frame 8/100, ", "it is drawn every 100 ms")
	now = now.Add(650 * time.Millisecond)
	b.step()
	b.step()
	line := drawn(&out)
	require.Contains(t, line, "a.mp4 (1/2) frame 10/100, 9.1 frames/s")
	require.NotContains(t, line, "in/")
	require.Regexp(t, `\b9% `, line, "10 of 100 frames of 9 of 10 MB")
	require.Regexp(t, `\[\d+s:\d+s\]`, line, "time that has passed, and that is left")

	b.next(1)
	b.expect(1)
	now = now.Add(redraw)
	b.step()
	require.Contains(t, drawn(&out), "b.png (2/2), ")
	b.clear()
	require.Empty(t, strings.TrimSpace(out.String()[strings.LastIndex(out.String(), "\r"):]))
}

func TestNoBarIsNoTrouble(t *testing.T) {
	var b *progress
	b.next(0)
	b.expect(1)
	b.step()
	b.clear()
	require.Nil(t, b)
}
