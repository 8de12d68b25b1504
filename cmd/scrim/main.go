package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"scrim/cmd/internal/cli"
)

// CLI is the command line. Each command is a field, and its Run method gets
// what it asks for of: context.Context, *slog.Logger and io.Writer (standard
// output).
type CLI struct {
	LogLevel  slog.Level `default:"info" help:"Least level that is logged: debug, info, warn or error." placeholder:"LEVEL"`
	LogFormat string     `default:"text" enum:"text,json" help:"Format of the log on standard error: text or json."`

	Demo     DemoCmd     `cmd:"" help:"Show drawn cameras, live and redacted, in a browser; needs nothing outside this machine."`
	Serve    ServeCmd    `cmd:"" help:"Run everything in one process: cameras, NATS, page."`
	Worker   WorkerCmd   `cmd:"" help:"Run the cameras only, against an external NATS server."`
	Gateway  GatewayCmd  `cmd:"" help:"Show the page only, against an external NATS server."`
	Redact   RedactCmd   `cmd:"" help:"Redact files and folders: video (mp4, mkv and others) and images (jpeg, png)."`
	Probe    ProbeCmd    `cmd:"" help:"Look at a camera before it is mounted: reach it, log in, measure its stream, name its problems."`
	Discover DiscoverCmd `cmd:"" help:"Find ONVIF cameras in the network of one interface."`
	Audit    AuditCmd    `cmd:"" help:"Say who made the configured cameras, flag those nobody trusts, and isolate them."`
	Models   ModelsCmd   `cmd:"" help:"List, fetch and verify face detection models."`
	Measure  MeasureCmd  `cmd:"" help:"Score what was obscured against where the faces truly are."`
	Config   ConfigCmd   `cmd:"" help:"Work with configuration files."`
	Sandbox  SandboxCmd  `cmd:"" help:"Say which protections confine the redactors on this machine; fail if one is missing."`
	Version  VersionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run parses the arguments, runs the command and returns the exit status. An
// error is one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return cli.Status(ctx, "scrim", execute(ctx, args, stdout, stderr), stderr)
}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var line CLI
	parser, err := kong.New(&line,
		kong.Name("scrim"),
		kong.Description("Hides every face in camera streams before anyone sees them."),
		kong.Writers(stdout, stderr),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w; see scrim --help", err)
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
