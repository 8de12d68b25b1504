package pipeline

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFullQueueDropsTheOldestWhole(t *testing.T) {
	q := newQueue[int](2)
	for i := 1; i <= 2; i++ {
		_, full := q.put(i)
		require.False(t, full)
	}
	dropped, full := q.put(3)
	require.True(t, full)
	require.Equal(t, 1, dropped)
	v, ok := q.get(t.Context())
	require.True(t, ok)
	require.Equal(t, 2, v)
}

func TestClosedQueueGivesWhatIsLeftAndThenEnds(t *testing.T) {
	q := newQueue[int](2)
	q.put(1)
	q.close()
	dropped, full := q.put(2)
	require.True(t, full)
	require.Equal(t, 2, dropped)
	v, ok := q.get(t.Context())
	require.True(t, ok)
	require.Equal(t, 1, v)
	_, ok = q.get(t.Context())
	require.False(t, ok)
}

func TestGetWaitsForPutAndForTheEndOfItsContext(t *testing.T) {
	q := newQueue[int](2)
	got := make(chan int)
	go func() {
		for {
			v, ok := q.get(t.Context())
			if !ok {
				close(got)
				return
			}
			got <- v
		}
	}()
	for i := range 1000 {
		q.put(i)
		require.Equal(t, i, <-got)
	}
	q.close()
	_, ok := <-got
	require.False(t, ok)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, ok = newQueue[int](1).get(ctx)
	require.False(t, ok)
}
