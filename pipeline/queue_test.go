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

func TestOfferWaitsForRoomAndDropsNothing(t *testing.T) {
	q := newQueue[int](2)
	done := make(chan bool, 1)
	go func() {
		ok := true
		for i := range 1000 {
			ok = ok && q.offer(t.Context(), i)
		}
		done <- ok
	}()
	for i := range 1000 {
		v, ok := q.get(t.Context())
		require.True(t, ok)
		require.Equal(t, i, v)
	}
	require.True(t, <-done)
}

func TestOfferEndsWithItsContextAndWithTheQueue(t *testing.T) {
	q := newQueue[int](1)
	require.True(t, q.offer(t.Context(), 1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan bool, 1)
	go func() { done <- q.offer(ctx, 2) }()
	cancel()
	require.False(t, <-done)
	go func() { done <- q.offer(t.Context(), 3) }()
	q.close()
	require.False(t, <-done)
	v, ok := q.get(t.Context())
	require.True(t, ok)
	require.Equal(t, 1, v)
}
