package onvif

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"time"
)

// namespaceMedia is the namespace of the media service.
const namespaceMedia = "http://www.onvif.org/ver10/media/wsdl"

// maxProfiles bounds the profiles of a device.
const maxProfiles = 64

// Information is a device's identity, in its own words.
type Information struct {
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	Firmware     string `json:"firmware,omitempty"`
	Serial       string `json:"serial,omitempty"`
	Hardware     string `json:"hardware,omitempty"`
}

// Profile is a media profile: one stream of a device.
type Profile struct {
	Token    string  `json:"token"`
	Name     string  `json:"name,omitempty"`
	Encoding string  `json:"encoding,omitempty"`
	Width    int     `json:"width,omitempty"`
	Height   int     `json:"height,omitempty"`
	FPS      float64 `json:"fps,omitempty"`
	// Bitrate is in kbit/s.
	Bitrate int `json:"bitrate,omitempty"`
}

// xmlName returns the name of a request.
func xmlName(request any) string {
	f, _ := reflect.TypeOf(request).FieldByName("XMLName")
	tag := f.Tag.Get("xml")
	return tag[strings.LastIndexByte(tag, ' ')+1:]
}

// DateAndTime returns the device's time and uses it for the credentials of later calls.
// Devices answer it without credentials (ONVIF core, section 8.3.1.3).
func (c *Client) DateAndTime(ctx context.Context) (time.Time, error) {
	type part struct {
		Year, Month, Day     int
		Hour, Minute, Second int
	}
	var a struct {
		UTC struct {
			Date part `xml:"Date"`
			Time part `xml:"Time"`
		} `xml:"SystemDateAndTime>UTCDateTime"`
	}
	before := time.Now()
	err := c.call(ctx, c.device, struct {
		XMLName xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetSystemDateAndTime"`
	}{}, &a)
	if err != nil {
		return time.Time{}, err
	}
	d, t := a.UTC.Date, a.UTC.Time
	if d.Year < 1970 || d.Year > 2200 || d.Month < 1 || d.Month > 12 || d.Day < 1 || d.Day > 31 {
		return time.Time{}, fmt.Errorf("%w GetSystemDateAndTime: the answer contains no time", ErrFault)
	}
	at := time.Date(d.Year, time.Month(d.Month), d.Day, t.Hour, t.Minute, t.Second, 0, time.UTC)
	c.skew = at.Sub(before)
	return at, nil
}

// Information returns manufacturer, model, firmware and serial number.
func (c *Client) Information(ctx context.Context) (Information, error) {
	var a struct{ Manufacturer, Model, FirmwareVersion, SerialNumber, HardwareId string } //nolint:revive,staticcheck // ONVIF's spelling
	err := c.call(ctx, c.device, struct {
		XMLName xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetDeviceInformation"`
	}{}, &a)
	return Information{
		Manufacturer: plain(a.Manufacturer), Model: plain(a.Model), Firmware: plain(a.FirmwareVersion),
		Serial: plain(a.SerialNumber), Hardware: plain(a.HardwareId),
	}, err
}

// findMedia asks for the address of the media service: GetServices, then
// GetCapabilities for older devices.
func (c *Client) findMedia(ctx context.Context) error {
	if c.media != nil {
		return nil
	}
	var services struct {
		Service []struct{ Namespace, XAddr string }
	}
	err := c.call(ctx, c.device, struct {
		XMLName           xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetServices"`
		IncludeCapability bool
	}{}, &services)
	for _, s := range services.Service {
		if strings.TrimSpace(s.Namespace) == namespaceMedia && c.media == nil {
			c.media = c.at(s.XAddr)
		}
	}
	if c.media != nil || c.refused {
		return err
	}
	var capabilities struct {
		XAddr string `xml:"Capabilities>Media>XAddr"`
	}
	err = c.call(ctx, c.device, struct {
		XMLName  xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetCapabilities"`
		Category string
	}{Category: "All"}, &capabilities)
	if c.media = c.at(capabilities.XAddr); c.media == nil && err == nil {
		err = fmt.Errorf("%w GetCapabilities: the answer contains no media service", ErrFault)
	}
	return err
}

// Profiles returns the device's profiles, in its own order, best first.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	if err := c.findMedia(ctx); err != nil {
		return nil, err
	}
	var a struct {
		Profiles []struct {
			Token string `xml:"token,attr"`
			Name  string
			Video struct {
				Encoding   string
				Resolution struct{ Width, Height int }
				Rate       struct {
					FrameRateLimit float64
					BitrateLimit   int
				} `xml:"RateControl"`
			} `xml:"VideoEncoderConfiguration"`
		}
	}
	err := c.call(ctx, c.media, struct {
		XMLName xml.Name `xml:"http://www.onvif.org/ver10/media/wsdl GetProfiles"`
	}{}, &a)
	var out []Profile
	for i := range a.Profiles[:min(len(a.Profiles), maxProfiles)] {
		p := &a.Profiles[i]
		// The token is sent back to the device unchanged.
		if len(p.Token) == 0 || len(p.Token) > maxText {
			continue
		}
		v := &p.Video
		out = append(out, Profile{
			Token: p.Token, Name: plain(p.Name), Encoding: plain(v.Encoding), Width: v.Resolution.Width, Height: v.Resolution.Height,
			FPS: v.Rate.FrameRateLimit, Bitrate: v.Rate.BitrateLimit,
		})
	}
	return out, err
}

// StreamURI returns the address of a profile's stream, on the requested host and
// without a user.
func (c *Client) StreamURI(ctx context.Context, token string) (string, error) {
	if err := c.findMedia(ctx); err != nil {
		return "", err
	}
	type over struct{ Protocol string }
	type setup struct {
		XMLName   xml.Name `xml:"http://www.onvif.org/ver10/media/wsdl StreamSetup"`
		Stream    string   `xml:"http://www.onvif.org/ver10/schema Stream"`
		Transport over     `xml:"http://www.onvif.org/ver10/schema Transport"`
	}
	var a struct {
		URI string `xml:"MediaUri>Uri"`
	}
	err := c.call(ctx, c.media, struct {
		XMLName      xml.Name `xml:"http://www.onvif.org/ver10/media/wsdl GetStreamUri"`
		StreamSetup  setup
		ProfileToken string
	}{StreamSetup: setup{Stream: "RTP-Unicast", Transport: over{Protocol: "RTSP"}}, ProfileToken: token}, &a)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(a.URI))
	if err != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Host == "" || len(a.URI) > 1024 {
		return "", fmt.Errorf("%w GetStreamUri: the answer contains no RTSP URL", ErrFault)
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if port := u.Port(); port == "" {
		u.Host = hostOf(c.device)
	} else {
		u.Host = hostOf(c.device) + ":" + port
	}
	return u.String(), nil
}

// hostOf returns a URL's host without its port, in the form of a URL.
func hostOf(u *url.URL) string {
	if h := u.Hostname(); strings.Contains(h, ":") {
		return "[" + h + "]"
	}
	return u.Hostname()
}
