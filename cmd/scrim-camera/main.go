package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"scrim/cmd/internal/cli"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// maxSecretBytes bounds the file of a password.
const maxSecretBytes = 4096

// CLI is the command line.
type CLI struct {
	File string `arg:"" optional:"" help:"Video file to show in a loop. Default: drawn people."`

	Replay bool `help:"Send the file as it is coded (H.264, H.265 or MJPEG), without encoding it again."`

	Listen       string        `default:"127.0.0.1:8554" help:"Address of the RTSP server (${default}); port 0 uses any free port." placeholder:"HOST:PORT"`
	Path         string        `default:"camera" help:"Path of the stream (${default})."`
	UDPPort      int           `name:"udp-port" help:"Even UDP port for RTP. Default: RTP over TCP only."`
	User         string        `help:"User name that is required. Default: no login."`
	PasswordFile string        `help:"File with the password that is required." type:"existingfile"`
	Bitrate      int           `help:"Maximum bit rate in bit/s; 0 chooses it by size."`
	GOP          time.Duration `name:"gop" default:"1s" help:"Time between key frames (${default})."`

	Size    cli.Size      `default:"1280x720" help:"Size of the drawn pictures (${default})." placeholder:"WxH"`
	FPS     float64       `name:"fps" default:"25" help:"Drawn pictures per second (${default})."`
	Seed    uint64        `help:"Seed of the drawn people and their movements."`
	People  int           `default:"6" help:"Number of drawn people (${default})."`
	MinFace int           `help:"Height of the smallest faces in pixels."`
	Away    time.Duration `placeholder:"TIME" help:"Mean time that people are out of the picture between two visits, such as 20s."`
	MaxFace int           `help:"Height of the largest faces in pixels."`

	Conditions `embed:""`

	Recording `embed:""`

	ReadyJSON     bool `name:"ready-json" help:"Print {\"url\":…} on standard output when the camera is ready; with --replay also its start time."`
	ExitWithStdin bool `name:"exit-with-stdin" help:"Exit when standard input is closed, for example because the parent process exited."`

	replayed string // the file that is sent without encoding
}

func main() {
	cli.Main("scrim-camera", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr) })
}

// run runs the camera until ctx ends.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c CLI
	if _, err := cli.Parse(&c, "scrim-camera", "A simulated RTSP camera: drawn people, or a video file in a loop.", args, stdout, stderr); err != nil {
		return err
	}
	people := scene.Options{
		Width: c.Size.W, Height: c.Size.H, FPS: c.FPS, Seed: c.Seed, People: c.People, MinFace: c.MinFace, MaxFace: c.MaxFace,
		Away: c.Away,
	}
	if err := c.apply(&people, c.File); err != nil {
		return err
	}
	if err := c.check(c.File); err != nil {
		return err
	}
	if c.Record != "" {
		return c.draw(ctx, people)
	}
	if c.Replay {
		if c.File == "" {
			return errors.New("--replay needs a file")
		}
		c.File, c.replayed = "", c.File
	}
	password, err := c.password()
	if err != nil {
		return err
	}
	truth := &liveTruth{path: c.Truth}
	defer truth.close() // after the camera
	var drawn func(simcam.Recorded) error
	if c.Truth != "" {
		drawn = truth.write
	}
	cam, err := simcam.Start(simcam.Options{
		Listen: c.Listen, Path: c.Path, UDPPort: c.UDPPort, User: c.User, Password: password,
		File: c.File, Replay: c.replayed, Bitrate: c.Bitrate, GOP: c.GOP,
		Scene: people, Drawn: drawn, Log: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	defer cam.Close()
	if c.ReadyJSON {
		ready := map[string]any{"url": cam.URL()}
		if c.Replay {
			ready["start"] = cam.Start().UnixNano()
		}
		err = json.NewEncoder(stdout).Encode(ready)
	} else {
		_, err = fmt.Fprintln(stdout, cam.URL())
	}
	if err != nil {
		return err
	}
	gone := make(chan struct{})
	if c.ExitWithStdin {
		go func() { // ends with the process
			_, _ = io.Copy(io.Discard, stdin)
			close(gone)
		}()
	}
	select {
	case <-ctx.Done():
	case <-gone:
	case <-cam.Done():
		return cam.Err()
	}
	return nil
}

func (c *CLI) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	if c.User == "" {
		return "", errors.New("--password-file needs --user")
	}
	f, err := os.Open(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretBytes))
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", fmt.Errorf("password: %s is empty; write the password into it", c.PasswordFile)
	}
	return password, nil
}
