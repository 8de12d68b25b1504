package supervise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"scrim/pipeline/wire"
)

func TestIgnoredZonesAreInTheStatus(t *testing.T) {
	s := newStatus(&wire.Config{Zones: []wire.ZoneConfig{
		{Kind: "mask", Name: "window"},
		{Kind: "ignore", Name: "lobby screen", Reason: "public_display"},
		{Kind: "tiles"},
	}}, "")
	require.Equal(t, []string{"public_display lobby screen"}, s.s.Ignored)
	s = newStatus(&wire.Config{}, "")
	require.Nil(t, s.s.Ignored)
}
