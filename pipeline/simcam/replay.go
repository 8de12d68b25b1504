package simcam

import (
	"context"
	"fmt"
	"time"

	"scrim/transport"
)

// replay sends a clip as it is coded, in a loop. Every picture is sent, in order,
// and says that it was captured when it was due: one that is late shows as late.
func (c *Camera) replay(ctx context.Context, clip *Clip, ready chan<- struct{}) error {
	s := &sender{codec: clip.Codec, width: clip.Width, height: clip.Height}
	begun := time.Now()
	c.start = begun.Add(-ticks(clip.Shift))
	for loop := int64(0); ; loop++ {
		base := loop * clip.Length
		for i := range clip.Units {
			u := &clip.Units[i]
			if !waitUntil(ctx, begun.Add(ticks(base+u.DTS+clip.Delay))) {
				return nil
			}
			pts := base + u.PTS
			greet := !c.silent.Load() && c.greet.Load() > 0
			if err := s.transmit(c, u.Data, pts, c.start.Add(ticks(pts)), greet); err != nil {
				return fmt.Errorf("picture %d: %w", i, err)
			}
			if ready != nil {
				close(ready)
				ready = nil
			}
		}
	}
}

// ticks converts 90 kHz ticks, without the overflow that a product would have
// after a day.
func ticks(n int64) time.Duration {
	return time.Duration(n/transport.ClockRate)*time.Second + time.Duration(n%transport.ClockRate)*time.Second/transport.ClockRate
}

// Start is when the first picture of what is replayed was taken: each other one
// was taken by its time in the file later. It is zero for other cameras.
func (c *Camera) Start() time.Time { return c.start }
