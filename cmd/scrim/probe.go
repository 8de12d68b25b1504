package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"scrim/cmd/internal/cli"
	"scrim/cmd/internal/config"
	"scrim/pipeline/probe"
	"scrim/transport/rtsp"
)

// ProbeCmd looks at a camera before it is mounted.
type ProbeCmd struct {
	Target      string                 `arg:"" help:"rtsp://HOST/PATH, or HOST or HOST:PORT to let common ports, paths and ONVIF be tried."`
	User        string                 `placeholder:"NAME" help:"The camera's user."`
	Password    *config.Secret         `placeholder:"env:NAME|file:PATH" help:"Where the user's password is. It is tried once: cameras lock accounts."`
	For         time.Duration          `default:"5s" placeholder:"TIME" help:"How long the stream is looked at (${default})."`
	Timeout     time.Duration          `default:"10s" placeholder:"TIME" help:"How long to wait for a connection or an answer (${default})."`
	Transport   string                 `default:"auto" enum:"auto,tcp,udp" help:"How RTP comes: tcp, udp, or auto: tcp, and udp where the camera refuses that."`
	AllowBasic  bool                   `help:"Send the password in the clear if the camera insists."`
	Fingerprint config.Fingerprint     `placeholder:"SHA256" help:"With TLS: take the certificate with this SHA-256, which a first probe shows, and no other."`
	CA          config.CertificateFile `name:"ca" placeholder:"FILE" help:"With TLS: the authorities, in PEM form, that may vouch in place of the system's."`
	ONVIF       string                 `name:"onvif" placeholder:"URL|none" help:"The ONVIF device service, if it is not at a usual port; none: leave it out."`
	Name        string                 `placeholder:"NAME" help:"The camera's name in what is to be pasted."`
	JSON        bool                   `name:"json" help:"Print a JSON object."`
}

// Run prints what was found out. It fails when nothing could be reached or a problem
// is fatal.
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
	o.Trust, o.CAFile = (&config.CameraTLS{Fingerprint: c.Fingerprint, CA: c.CA}).Trust(), c.CA.String()
	if (c.User == "") != (c.Password == nil) {
		return fmt.Errorf("--user and --password belong together; give both or none")
	}
	r, err := probe.Run(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		err = writeJSON(out, r)
	} else {
		err = r.WriteText(out)
	}
	if err == nil && r.Failed() {
		return cli.ErrSaid
	}
	return err
}

// writeJSON prints a value for programs.
func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
