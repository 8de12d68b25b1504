package rtsp_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"

	"scrim/transport"
	"scrim/transport/rtsp"
)

// camera is the RTSP server of a camera that sends a few key frames to anyone who connects.
type camera struct {
	stream *gortsplib.ServerStream
	media  *description.Media
}

func (c *camera) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnSetup(*gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

func (c *camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	go func() {
		for n := range uint16(10) {
			time.Sleep(20 * time.Millisecond)
			for i, nal := range []string{"\x67\x42\xc0\x1f\xd9\x01\x40\x16", "\x68\xcb\x83\xcb\x20", "\x65\x88\x84\x01\x02"} { // SPS, PPS, IDR
				_ = c.stream.WritePacketRTP(c.media, &rtp.Packet{
					Header:  rtp.Header{Version: 2, PayloadType: 96, SequenceNumber: 3*n + uint16(i), Timestamp: 3600 * uint32(n), Marker: i == 2}, //nolint:gosec // few
					Payload: []byte(nal),
				})
			}
		}
	}()
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// Video comes from a camera over RTSP:
//
//  1. Have a camera; here it is a server in this process.
//  2. Create the client, which checks the configuration.
//  3. Run it until the context or the session ends. Run returns why; Backoff says when
//     to try again.
//  4. Each access unit comes whole, and says what is missing before it.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // 1
	if err != nil {
		panic(err)
	}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{&format.H264{PayloadTyp: 96, PacketizationMode: 1}}}
	c := &camera{media: media}
	server := &gortsplib.Server{
		Handler: c, RTSPAddress: "127.0.0.1:0", Listen: func(string, string) (net.Listener, error) { return listener, nil },
	}
	if err := server.Start(); err != nil {
		panic(err)
	}
	defer server.Close()
	c.stream = &gortsplib.ServerStream{Server: server, Desc: &description.Session{Medias: []*description.Media{media}}}
	if err := c.stream.Initialize(); err != nil {
		panic(err)
	}
	defer c.stream.Close()

	client, err := rtsp.NewClient(rtsp.Config{ // 2
		Camera: "gate", URL: "rtsp://" + listener.Addr().String() + "/stream", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var first *transport.CameraUnit
	err = client.Run(ctx, func(u transport.CameraUnit) { // 3
		if first == nil {
			first = &u
			cancel()
		}
	})
	fmt.Println("ended by the caller:", errors.Is(err, context.Canceled))
	fmt.Printf("%s, %d bytes, gap: %s\n", first.Codec, len(first.Data), first.Gap.Kind) // 4
	// Output:
	// ended by the caller: true
	// H.264, 30 bytes, gap: connected
}
