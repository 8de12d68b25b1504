package supervise

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestAdmissionLetsCamerasThatSendGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(2)
		first, err := a.enter(t.Context(), false)
		require.NoError(t, err)
		second, err := a.enter(t.Context(), false)
		require.NoError(t, err)
		order := make(chan string, 10)
		queue := func(ctx context.Context, name string, sends bool) {
			go func() {
				if leave, err := a.enter(ctx, sends); err == nil {
					order <- name
					leave()
				} else {
					order <- name + " gave up"
				}
			}()
			synctest.Wait()
		}
		gone, cancel := context.WithCancel(t.Context())
		queue(t.Context(), "restart", false)
		queue(gone, "sent, and is gone", true)
		queue(t.Context(), "sends", true)
		require.Empty(t, order)
		cancel()
		require.Equal(t, "sent, and is gone gave up", <-order)
		first()
		first() // that counts once
		require.Equal(t, "sends", <-order)
		require.Equal(t, "restart", <-order)
		second()
		synctest.Wait()
		require.Equal(t, 2, a.free)
	})
	var none *Admission
	leave, err := none.enter(t.Context(), false)
	require.NoError(t, err)
	leave()
}
