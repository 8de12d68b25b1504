package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/cmd/internal/programs"
	"scrim/pipeline/probe"
	"scrim/transport/rtsp"
)

// ProbeCmd checks a camera before it is mounted.
type ProbeCmd struct {
	Target      string                 `arg:"" help:"rtsp://HOST/PATH; or HOST or HOST:PORT, to try ONVIF and common ports and paths."`
	User        string                 `placeholder:"NAME" help:"User name for the camera."`
	Password    *config.Secret         `placeholder:"env:NAME|file:PATH" help:"Password of that user. It is tried only once, because cameras lock accounts."`
	For         time.Duration          `default:"5s" placeholder:"TIME" help:"How long the stream is measured (${default})."`
	Timeout     time.Duration          `default:"10s" placeholder:"TIME" help:"Time limit for each connection and response (${default})."`
	Transport   string                 `default:"auto" enum:"auto,tcp,udp" help:"RTP over tcp, udp, or auto: udp if the camera refuses tcp (${default})."`
	AllowBasic  bool                   `help:"Allow Basic authentication, which sends the password in the clear."`
	Fingerprint config.Fingerprint     `placeholder:"SHA256" help:"With TLS: accept only the certificate with this SHA-256, which a first probe shows."`
	CA          config.CertificateFile `name:"ca" placeholder:"FILE" help:"PEM file of the certificate authorities for TLS, instead of the system's."`
	ONVIF       string                 `name:"onvif" placeholder:"URL|none" help:"URL of the ONVIF device service if its port is unusual; none skips ONVIF."`
	Name        string                 `placeholder:"NAME" help:"Name of the camera in the printed configuration."`
	RedactorFlags
	JSON bool `name:"json" help:"Print a JSON object."`
}

// Run prints the report. It fails if nothing could be reached or a problem is fatal.
func (c ProbeCmd) Run(ctx context.Context, out io.Writer) error {
	o := probe.Options{
		Target: c.Target, User: c.User, AllowBasic: c.AllowBasic, For: c.For, Timeout: c.Timeout,
		ONVIF: c.ONVIF, Transport: rtsp.Transport(c.Transport), Name: c.Name,
	}
	if c.Password != nil {
		if err := c.Password.Resolve(); err != nil {
			return fmt.Errorf("--password: %w", err)
		}
		o.Password = c.Password.Value()
	}
	if err := c.CA.Resolve(); err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	if err := c.look(&o); err != nil {
		return err
	}
	o.Trust, o.CAFile = (&config.CameraTLS{Fingerprint: c.Fingerprint, CA: c.CA}).Trust(), c.CA.String()
	if (c.User == "") != (c.Password == nil) {
		return fmt.Errorf("--user and --password must be used together")
	}
	r, err := probe.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		err = cli.WriteJSON(out, r)
	} else {
		err = r.WriteText(out)
	}
	if err == nil && r.Failed() {
		return cli.ErrReported
	}
	return err
}

// look sets what looks for faces. Without scrim-redactor a probe does all the rest.
func (c ProbeCmd) look(o *probe.Options) error {
	program, err := programs.Find("scrim-redactor", "--redactor", c.Redactor)
	if err != nil {
		if c.Redactor != "" {
			return err
		}
		return nil
	}
	detect, err := programs.Detector(cmp.Or(c.Model, config.ModelAuto), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defaults := config.Default().Defaults.Detect
	detect.Size, detect.Threshold = int(defaults.Size), float64(defaults.Threshold)
	o.Redactor, o.Detect = program, detect
	return nil
}
