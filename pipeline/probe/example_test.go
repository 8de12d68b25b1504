package probe_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"scrim/pipeline/probe"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// A camera is checked before it is mounted:
//
//  1. Have a camera; here it is a simulated one, which draws people.
//  2. Probe it for a moment. The password is tried once.
//  3. Read the report: what the camera sends, and its problems, worst first.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	camera, err := simcam.Start(simcam.Options{ // 1
		Listen: "127.0.0.1:0", User: "viewer", Password: "correct horse battery",
		Scene: scene.Options{Width: 320, Height: 180, FPS: 20, People: 1}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer camera.Close()

	report, err := probe.Run(ctx, probe.Options{ // 2
		Target: camera.URL(), User: "viewer", Password: "correct horse battery", For: time.Second, ONVIF: probe.NoONVIF, Name: "gate",
	})
	if err != nil {
		panic(err)
	}

	fmt.Println("login", report.Login) // 3
	for _, track := range report.Tracks {
		fmt.Println(track.Kind, track.Codec)
	}
	fmt.Println("usable:", !report.Failed())
	// Output:
	// login accepted
	// video H264
	// usable: true
}
