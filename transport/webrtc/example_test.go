package webrtc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"time"

	"scrim/transport"
	"scrim/transport/fanout"
	"scrim/transport/webrtc"
	"scrim/transport/webrtc/wheptest"
)

// cameras is a Source of one camera.
type cameras struct{}

func (cameras) Cameras() []transport.Status {
	return []transport.Status{{Site: "plant-1", Camera: "gate", State: transport.StateLive, Width: 1280, Height: 720}}
}
func (c cameras) Subscribe(string) (fanout.Subscription, error) { return c, nil }
func (cameras) RequestKeyframe(string) error                    { return nil }
func (cameras) Snapshot(context.Context, string) (*transport.Snapshot, error) {
	return nil, fanout.ErrNoCamera
}

func (cameras) Events(ctx context.Context) <-chan transport.Event {
	none := make(chan transport.Event)
	context.AfterFunc(ctx, func() { close(none) })
	return none
}

// Next returns the next access unit, here always the same key frame.
func (cameras) Next(ctx context.Context) (*transport.RedactedUnit, error) {
	select {
	case now := <-time.After(40 * time.Millisecond):
		return &transport.RedactedUnit{
			Camera: "gate", Captured: now, PTS: now.UnixMilli() * transport.ClockRate / 1000, Key: true, Width: 1280, Height: 720,
			Data: []byte("\x00\x00\x00\x01\x67\x42\xc0\x1f\x00\x00\x00\x01\x68\xcb\x83\x00\x00\x00\x01\x65\x88\x84"),
		}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
func (cameras) Close() {}

// Browsers watch cameras over WHEP:
//
//  1. Implement Source; package gateway has one that is fed by the bus.
//  2. Create the gateway.
//  3. Serve it. Its page at / shows all cameras.
//  4. Watch a camera at /whep/CAMERA, as a browser does.
//  5. Close the gateway, which ends all sessions, before the server.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	gateway, err := webrtc.New(webrtc.Options{Source: cameras{}, Log: slog.New(slog.DiscardHandler)}) // 1, 2
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(gateway.Handler()) // 3
	defer server.Close()
	defer gateway.Close() // 5

	packets := make(chan wheptest.Packet, 1000)
	viewer, err := wheptest.Watch(ctx, server.URL, "gate", func(p wheptest.Packet) { packets <- p }) // 4
	if err != nil {
		panic(err)
	}
	defer viewer.Close()
	select {
	case <-packets:
		fmt.Println("the viewer receives video and is", viewer.State())
	case <-ctx.Done():
		fmt.Println(ctx.Err())
	}
	// Output: the viewer receives video and is connected
}
