package device

import (
	"encoding/xml"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"scrim/transport"
)

const (
	nsDevice = "http://www.onvif.org/ver10/device/wsdl"
	nsMedia  = "http://www.onvif.org/ver10/media/wsdl"
)

// operation answers one kind of call.
type operation struct {
	public bool // no login required
	answer func(*Device, *call) (any, *fault)
}

var operations = map[string]operation{
	"GetSystemDateAndTime": {true, (*Device).dateAndTime},
	"GetCapabilities":      {true, (*Device).capabilities},
	"GetServices":          {true, (*Device).services},
	"GetDeviceInformation": {false, (*Device).information},
	"GetProfiles":          {false, (*Device).profiles},
	"GetProfile":           {false, (*Device).profile},
	"GetVideoSources":      {false, (*Device).videoSources},
	"GetStreamUri":         {false, (*Device).streamURI},
	"GetSnapshotUri":       {false, (*Device).snapshotURI},
}

// base returns the device's own address, as the client calls it.
func (c *call) base(port, path string) string {
	u := url.URL{Scheme: "http", Host: hostPort(c.host, port), Path: path}
	if c.tls {
		u.Scheme = "https"
	}
	return u.String()
}

// hostPort returns host and port; without a port, the scheme's default applies.
func hostPort(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if net.ParseIP(host) != nil && net.ParseIP(host).To4() == nil {
		return "[" + host + "]"
	}
	return host
}

func (d *Device) dateAndTime(*call) (any, *fault) {
	t := d.now().UTC()
	a := dateAndTimeXML{}
	s := &a.System
	s.Type, s.Zone.TZ = "NTP", "UTC0"
	s.UTC.Time.Hour, s.UTC.Time.Minute, s.UTC.Time.Second = t.Hour(), t.Minute(), t.Second()
	s.UTC.Date.Year, s.UTC.Date.Month, s.UTC.Date.Day = t.Year(), int(t.Month()), t.Day()
	return a, nil
}

func (d *Device) information(*call) (any, *fault) {
	return informationXML{
		Manufacturer: "Scrim", Model: "Redacted cameras", Firmware: d.o.Version, Serial: d.o.Site, Hardware: "scrim",
	}, nil
}

func (d *Device) capabilities(c *call) (any, *fault) {
	a := capabilitiesXML{}
	a.All.Device.XAddr = c.base(c.port, servicePath)
	a.All.Media.XAddr = c.base(c.port, mediaPath)
	a.All.Media.Streaming.TCP, a.All.Media.Streaming.RTSP = true, true
	return a, nil
}

func (d *Device) services(c *call) (any, *fault) {
	return servicesXML{Services: []serviceXML{
		{Namespace: nsDevice, XAddr: c.base(c.port, servicePath), Version: versionXML{Major: 2, Minor: 40}},
		{Namespace: nsMedia, XAddr: c.base(c.port, mediaPath), Version: versionXML{Major: 2, Minor: 40}},
	}}, nil
}

// cameras returns the cameras that the user may see.
func (d *Device) cameras(c *call) []transport.Status {
	return slices.DeleteFunc(d.o.Cameras(), func(s transport.Status) bool { return !c.user.MayWatch(s.Camera) })
}

func (d *Device) profiles(c *call) (any, *fault) {
	a := profilesXML{}
	for _, s := range d.cameras(c) {
		a.Profiles = append(a.Profiles, profileOf(&s))
	}
	return a, nil
}

// find returns the camera of the profile in the call.
func (d *Device) find(c *call) (*transport.Status, *fault) {
	for _, s := range d.cameras(c) {
		if s.Camera == c.Profile {
			return &s, nil
		}
	}
	return nil, &fault{http.StatusBadRequest, "ter:InvalidArgVal", "ter:NoProfile", "unknown profile"}
}

func (d *Device) profile(c *call) (any, *fault) {
	s, no := d.find(c)
	if no != nil {
		return nil, no
	}
	return oneProfileXML{Profile: profileOf(s)}, nil
}

func (d *Device) videoSources(c *call) (any, *fault) {
	a := videoSourcesXML{}
	for _, s := range d.cameras(c) {
		a.Sources = append(a.Sources, videoSourceXML{Token: s.Camera, FPS: s.FPS, Resolution: resolutionXML{s.Width, s.Height}})
	}
	return a, nil
}

func (d *Device) streamURI(c *call) (any, *fault) {
	s, no := d.find(c)
	if no != nil {
		return nil, no
	}
	if c.Stream == "RTP-Multicast" {
		// ONVIF Media, GetStreamUri: an unsupported setup is not replaced by another.
		return nil, &fault{http.StatusBadRequest, "ter:InvalidArgVal", "ter:InvalidStreamSetup", "multicast is not supported; request RTP-Unicast"}
	}
	u := url.URL{Scheme: d.o.StreamScheme, Host: net.JoinHostPort(c.host, strconv.Itoa(d.o.StreamPort)), Path: "/" + s.Camera}
	return uriXML{XMLName: xml.Name{Space: nsMedia, Local: "GetStreamUriResponse"}, URI: mediaURIXML{URI: u.String(), Timeout: "PT0S"}}, nil
}

func (d *Device) snapshotURI(c *call) (any, *fault) {
	s, no := d.find(c)
	if no != nil {
		return nil, no
	}
	return uriXML{
		XMLName: xml.Name{Space: nsMedia, Local: "GetSnapshotUriResponse"},
		URI:     mediaURIXML{URI: c.base(c.port, snapshotPath+s.Camera), Timeout: "PT0S"},
	}, nil
}

// profileOf returns the media profile of a camera.
func profileOf(s *transport.Status) profileXML {
	size := resolutionXML{s.Width, s.Height}
	p := profileXML{Token: s.Camera, Fixed: true, Name: s.Camera}
	p.Source = sourceXML{
		Token: s.Camera, Name: s.Camera, UseCount: 1, Source: s.Camera, Bounds: boundsXML{Width: s.Width, Height: s.Height},
	}
	e := &p.Encoder
	e.Token, e.Name, e.UseCount, e.Encoding, e.Resolution, e.Quality = s.Camera, s.Camera, 1, "H264", size, 1
	e.Rate.FPS, e.Rate.Interval, e.Rate.Bitrate = max(1, int(s.FPS+0.5)), 1, nominalBitrate
	e.H264.GOP, e.H264.Profile = 2*e.Rate.FPS, "Baseline"
	e.Multicast.Address.Type, e.Multicast.Address.IPv4, e.Timeout = "IPv4", "0.0.0.0", "PT60S"
	return p
}

// nominalBitrate is the reported bit rate of every camera, in kbit/s. The encoder has a
// limit by picture size, which is not known here.
const nominalBitrate = 8192
