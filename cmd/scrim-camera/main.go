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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"scrim/pipeline/scene"
	"scrim/pipeline/simcam"
)

// maxSecretBytes bounds the file of a password.
const maxSecretBytes = 4096

// CLI is the command line.
type CLI struct {
	File string `arg:"" optional:"" help:"Video file to show in a loop. Without one, people are drawn."`

	Replay bool `help:"Send the file as it is coded, which must be H.264; nothing is coded anew."`

	Listen       string        `default:"127.0.0.1:8554" help:"Address of the RTSP server; port 0 takes a free one." placeholder:"HOST:PORT"`
	Path         string        `default:"camera" help:"Path of the stream."`
	UDPPort      int           `name:"udp-port" help:"Even UDP port for RTP; without one, RTP comes over TCP only."`
	User         string        `help:"User to ask for."`
	PasswordFile string        `help:"File that holds the password to ask for." type:"existingfile"`
	Bitrate      int           `help:"Most bits per second; 0 chooses by size."`
	GOP          time.Duration `name:"gop" default:"1s" help:"Time between key frames."`

	Size    size    `default:"1280x720" help:"Size of the drawn picture in pixels." placeholder:"WxH"`
	FPS     float64 `name:"fps" default:"25" help:"Drawn pictures a second."`
	Seed    uint64  `help:"Chooses the people and their ways."`
	People  int     `default:"6" help:"How many people there are."`
	MinFace int     `help:"Height of the smallest faces in pixels."`
	MaxFace int     `help:"Height of the largest faces in pixels."`

	Recording `embed:""`

	ReadyJSON     bool `name:"ready-json" help:"Print {\"url\":…} on standard output once the camera can be reached; with --replay also when it began."`
	ExitWithStdin bool `name:"exit-with-stdin" help:"End when standard input is closed, as when the parent process ends."`

	replayed string // the file that is sent as it is
}

// size is a picture's size in pixels, written as 1280x720.
type size struct{ w, h int }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	w, h, ok := strings.Cut(strings.ToLower(string(text)), "x")
	var err1, err2 error
	s.w, err1 = strconv.Atoi(w)
	s.h, err2 = strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || s.w%2 != 0 || s.h%2 != 0 {
		return fmt.Errorf("size %q must be two even numbers, such as 1280x720", text)
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "scrim-camera: "+strings.Join(strings.Fields(err.Error()), " "))
		os.Exit(1)
	}
}

// run runs the camera until ctx ends.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	var cli CLI
	parser, err := kong.New(&cli, kong.Name("scrim-camera"),
		kong.Description("A simulated RTSP camera: drawn people, or a video file in a loop."), kong.Writers(stdout, stderr))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return fmt.Errorf("%w; see scrim-camera --help", err)
	}
	people := scene.Options{
		Width: cli.Size.w, Height: cli.Size.h, FPS: cli.FPS, Seed: cli.Seed, People: cli.People, MinFace: cli.MinFace, MaxFace: cli.MaxFace,
	}
	if err := cli.check(cli.File); err != nil {
		return err
	}
	if cli.Record != "" {
		return cli.draw(ctx, people)
	}
	if cli.Replay {
		if cli.File == "" {
			return errors.New("--replay needs a file")
		}
		cli.File, cli.replayed = "", cli.File
	}
	password, err := cli.password()
	if err != nil {
		return err
	}
	truth := &liveTruth{path: cli.Truth}
	defer truth.close() // after the camera
	var drawn func(simcam.Recorded) error
	if cli.Truth != "" {
		drawn = truth.write
	}
	cam, err := simcam.Start(simcam.Options{
		Listen: cli.Listen, Path: cli.Path, UDPPort: cli.UDPPort, User: cli.User, Password: password,
		File: cli.File, Replay: cli.replayed, Bitrate: cli.Bitrate, GOP: cli.GOP,
		Scene: people, Drawn: drawn, Log: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	defer cam.Close()
	if cli.ReadyJSON {
		said := map[string]any{"url": cam.URL()}
		if cli.Replay {
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
	if cli.ExitWithStdin {
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
