package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"scrim/cmd/internal/cli"
)

// CLI is the command line. Each command is a field. Its Run method may have parameters
// of type context.Context, *slog.Logger and io.Writer (standard output).
type CLI struct {
	LogLevel  slog.Level `default:"info" help:"Minimum log level: debug, info, warn or error (${default})." placeholder:"LEVEL"`
	LogFormat string     `default:"text" enum:"text,json" help:"Log format on standard error: text or json (${default})."`

	Demo     DemoCmd     `cmd:"" help:"Show two drawn cameras, live and redacted, in a browser. Needs no camera and no network."`
	Serve    ServeCmd    `cmd:"" help:"Run cameras, NATS server and viewer page in one process."`
	Worker   WorkerCmd   `cmd:"" help:"Run the cameras only, with an external NATS server."`
	Gateway  GatewayCmd  `cmd:"" help:"Serve the viewer page only, with an external NATS server."`
	Redact   RedactCmd   `cmd:"" help:"Redact files and folders: videos (mp4, mkv and others) and images (jpeg, png)."`
	Probe    ProbeCmd    `cmd:"" help:"Check a camera before it is mounted: connection, login, stream; print its problems and its configuration."`
	Discover DiscoverCmd `cmd:"" help:"Find ONVIF cameras on one network interface."`
	Audit    AuditCmd    `cmd:"" help:"Identify the vendors of the configured cameras, flag unwanted ones, and plan their isolation."`
	Models   ModelsCmd   `cmd:"" help:"List, fetch and verify face detection models."`
	Measure  MeasureCmd  `cmd:"" help:"Score redacted video against the true positions of faces."`
	Config   ConfigCmd   `cmd:"" help:"Check and describe configuration files."`
	Sandbox  SandboxCmd  `cmd:"" help:"List the protections that confine redactors on this machine; fails if one is missing."`
	Version  VersionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	cli.Main("scrim", func(ctx context.Context) error { return execute(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// execute parses the arguments and runs the command.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var line CLI
	command, err := cli.Parse(&line, "scrim", "Hides every face in camera streams before anyone sees them.", args, stdout, stderr)
	if err != nil {
		return err
	}
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(stdout, (*io.Writer)(nil))
	command.Bind(newLogger(stderr, line.LogLevel, line.LogFormat))
	return command.Run()
}

func newLogger(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
