package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProgramsEndWithOneLine(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want string
	}{
		"well":                      {t.Context(), nil, ""},
		"an error of several lines": {t.Context(), errors.New("one\n  two"), "scrim: one two\n"},
		"interrupted":               {canceled, fmt.Errorf("wait: %w", context.Canceled), "scrim: interrupted\n"},
		"failed while interrupted":  {canceled, errors.New("disk full"), "scrim: disk full\n"},
		"a part was cancelled":      {t.Context(), context.Canceled, "scrim: context canceled\n"},
		"has said why":              {t.Context(), fmt.Errorf("probe: %w", ErrReported), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			status := Status(c.ctx, "scrim", c.err, &out)
			require.Equal(t, c.want, out.String())
			require.Equal(t, c.err == nil, status == 0)
		})
	}
}

func TestErrorsMayHaveAStatus(t *testing.T) {
	var out strings.Builder
	err := fmt.Errorf("redact: %w", &StatusError{3, errors.New("blind")})
	require.Equal(t, 3, Status(t.Context(), "scrim", err, &out))
	require.Equal(t, "scrim: redact: blind\n", out.String())
	require.Equal(t, 1, Status(t.Context(), "scrim", errors.New("disk full"), &out))
}

func TestSizeIsTwoEvenNumbers(t *testing.T) {
	var s Size
	require.NoError(t, s.UnmarshalText([]byte("1280X720")))
	require.Equal(t, Size{1280, 720}, s)
	for _, text := range []string{"", "160", "161x90", "160x91", "x", "160x", "axb", "160x90x2"} {
		require.ErrorContains(t, s.UnmarshalText([]byte(text)), "two even numbers", text)
	}
}
