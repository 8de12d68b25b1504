package av_test

import (
	"errors"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"scrim/pipeline/internal/av"
	"scrim/redact/yuv"
)

func lend(t *testing.T, use func(*astiav.Frame) error) error {
	t.Helper()
	im, err := yuv.New(64, 48)
	require.NoError(t, err)
	im.Y[5] = 77
	f := astiav.AllocFrame()
	defer f.Free()
	return av.Lend(f, im, func() error { return use(f) })
}

func TestLentPlanesAreThePicture(t *testing.T) {
	require.NoError(t, lend(t, func(f *astiav.Frame) error {
		planes, err := av.Planes(f)
		require.NoError(t, err)
		require.Equal(t, [2]int{64, 48}, [2]int{planes.Width, planes.Height})
		require.EqualValues(t, 77, planes.Y[5])
		return nil
	}))
}

// Memory that C code holds on to must not go back to the pool unnoticed.
func TestLendFailsWhenAReferenceIsKept(t *testing.T) {
	kept := astiav.AllocFrame()
	defer kept.Free()
	require.ErrorContains(t, lend(t, kept.Ref), "keeps a reference")
	kept.Unref()
	require.NoError(t, lend(t, func(f *astiav.Frame) error {
		if err := kept.Ref(f); err != nil {
			return err
		}
		kept.Unref() // given back in time
		return nil
	}))
}

func TestLendPassesErrorsOnAndTakesNoEmptyPicture(t *testing.T) {
	no := errors.New("no")
	require.ErrorIs(t, lend(t, func(*astiav.Frame) error { return no }), no)
	f := astiav.AllocFrame()
	defer f.Free()
	require.Error(t, av.Lend(f, &yuv.Image{}, func() error { return nil }))
}
