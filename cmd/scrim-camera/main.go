package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"scrim/cmd/internal/cli"
	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// maxSecretBytes bounds the file of a password.
const maxSecretBytes = 4096

// CLI is the command line.
type CLI struct {
	File string `arg:"" optional:"" help:"Video file to show in a loop. Without one, people are drawn."`

	Replay bool `help:"Send the file as it is coded, which must be H.264, H.265 or MJPEG; nothing is coded anew."`

	Listen       string        `default:"127.0.0.1:8554" help:"Address of the RTSP server; port 0 takes a free one." placeholder:"HOST:PORT"`
	Path         string        `default:"camera" help:"Path of the stream."`
	UDPPort      int           `name:"udp-port" help:"Even UDP port for RTP; without one, RTP comes over TCP only."`
	User         string        `help:"User to ask for."`
	PasswordFile string        `help:"File that holds the password to ask for." type:"existingfile"`
	Bitrate      int           `help:"Most bits per second; 0 chooses by size."`
	GOP          time.Duration `name:"gop" default:"1s" help:"Time between key frames."`

	Size    cli.Size      `default:"1280x720" help:"Size of the drawn picture in pixels." placeholder:"WxH"`
	FPS     float64       `name:"fps" default:"25" help:"Drawn pictures a second."`
	Seed    uint64        `help:"Chooses the people and their ways."`
	People  int           `default:"6" help:"How many people there are."`
	MinFace int           `help:"Height of the smallest faces in pixels."`
	Away    time.Duration `placeholder:"TIME" help:"How long people stay away between two visits, in the mean, such as 20s."`
	MaxFace int           `help:"Height of the largest faces in pixels."`

	Recording `embed:""`

	ReadyJSON     bool `name:"ready-json" help:"Print {\"url\":…} on standard output once the camera can be reached; with --replay also when it began."`
	ExitWithStdin bool `name:"exit-with-stdin" help:"End when standard input is closed, as when the parent process ends."`

	replayed string // the file that is sent as it is
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	// To be ended by a signal is how a camera ends.
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(cli.Status(ctx, "scrim-camera", err, os.Stderr))
}

// run runs the camera until ctx ends.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var c CLI
	parser, err := kong.New(&c, kong.Name("scrim-camera"),
		kong.Description("A simulated RTSP camera: drawn people, or a video file in a loop."), kong.Writers(stdout, stderr))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return fmt.Errorf("%w; see scrim-camera --help", err)
	}
	people := scene.Options{
		Width: c.Size.W, Height: c.Size.H, FPS: c.FPS, Seed: c.Seed, People: c.People, MinFace: c.MinFace, MaxFace: c.MaxFace,
		Away: c.Away,
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
		said := map[string]any{"url": cam.URL()}
		if c.Replay {
			said["start"] = cam.Start().UnixNano()
		}
		err = json.NewEncoder(stdout).Encode(said)
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
