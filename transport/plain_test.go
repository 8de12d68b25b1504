package transport

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlainTextIsOneBoundedLine(t *testing.T) {
	for in, want := range map[string]string{
		"Acme\r\n  A1\x1b": "Acme A1", "\u202eevil\u2028": "evil", "\xff": "?", "": "", "ééééé": "éééé…", "12345678": "12345678", "123456789": "12345678…",
	} {
		require.Equal(t, want, Plain(in, 8), "%q", in)
	}
}
