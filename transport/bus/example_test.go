package bus_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"scrim/transport"
	"scrim/transport/bus"
)

// Redacted video goes over NATS:
//
//  1. Start a NATS server in this process. Config.URL reaches any other.
//  2. Connect. Viewers and publishers may share a connection.
//  3. Subscribe to a camera, which requests a key frame.
//  4. Publish what the redactor made.
//  5. Receive it, from a key frame on and without gaps.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	log := slog.New(slog.DiscardHandler)

	server, err := bus.StartServer(bus.ServerConfig{Log: log}) // 1
	if err != nil {
		panic(err)
	}
	defer server.Close()
	conn, err := bus.Connect(ctx, bus.Config{Server: server, Name: "example", Log: log}) // 2
	if err != nil {
		panic(err)
	}
	defer conn.Close()

	units, err := conn.Subscribe("plant-1", "gate", transport.MainRendition) // 3
	if err != nil {
		panic(err)
	}
	defer units.Close()

	camera, err := conn.Publisher("plant-1", "gate", nil) // 4
	if err != nil {
		panic(err)
	}
	defer camera.Close()
	err = camera.Publish(&transport.RedactedUnit{
		Camera: "gate", Rendition: transport.MainRendition, Epoch: 1, Seq: 1, Captured: time.Now(), Key: true,
		Codec: "avc1.42c01f", Width: 1280, Height: 720, State: transport.StateLive, Data: []byte("H.264 in Annex B form"),
	})
	if err != nil {
		panic(err)
	}

	u, err := units.Next(ctx) // 5
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s is %s, %d×%d, key frame: %v\n", u.Camera, u.State, u.Width, u.Height, u.Key)
	// Output: gate is live, 1280×720, key frame: true
}
