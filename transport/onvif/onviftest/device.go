package onviftest

import (
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"scrim/transport/onvif/soap"
)

// Device is the device's configuration. Change it before the first call only.
type Device struct {
	Manufacturer, Model, Firmware, Serial string
	// User and Password are required for everything except the time; none if User is
	// empty.
	User, Password string
	// HTTPDigest requires them by HTTP Digest instead of WS-Security.
	HTTPDigest bool
	// Stream is the URL of its only profile.
	Stream string
	// Skew is by how much its clock is ahead.
	Skew time.Duration
	// Old: the device does not support GetServices.
	Old bool
	// Answer, if set, answers everything.
	Answer func(operation string) string

	mu sync.Mutex
	// asked lists the operations, logins counts those that came with credentials.
	asked  []string
	logins int
	url    string
}

// Start serves the device until the test ends, and returns the address of its
// device service.
func (d *Device) Start(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	d.url = s.URL
	return s.URL + "/onvif/device_service"
}

// StartTLS is Start with HTTPS; the certificate is the server's own.
func (d *Device) StartTLS(t testing.TB) (address string, certificate *x509.Certificate) {
	t.Helper()
	s := httptest.NewUnstartedServer(d)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	d.url = s.URL
	return s.URL + "/onvif/device_service", s.Certificate()
}

// Asked returns the operations that were called, and how many of the calls had
// credentials.
func (d *Device) Asked() (operations []string, logins int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...), d.logins
}

// operationRE finds the body's first element.
var operationRE = regexp.MustCompile(`<(?:\w+:)?(\w+)`)

// ServeHTTP implements http.Handler.
func (d *Device) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(io.LimitReader(r.Body, soap.MaxBytes))
	if err != nil {
		return
	}
	m, err := soap.Parse(data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	operation := ""
	if f := operationRE.FindSubmatch(m.Body.Content); f != nil {
		operation = string(f[1])
	}
	login := m.Header.Security != nil || r.Header.Get("Authorization") != ""
	d.mu.Lock()
	d.asked = append(d.asked, operation)
	if login {
		d.logins++
	}
	d.mu.Unlock()
	w.Header().Set("Content-Type", soap.ContentType)
	if d.Answer != nil {
		_, _ = io.WriteString(w, d.Answer(operation))
		return
	}
	if operation != "GetSystemDateAndTime" && !d.allowed(m, r) {
		if d.HTTPDigest {
			w.Header().Set("WWW-Authenticate", `Digest realm="camera", qop="auth", nonce="abc", algorithm=MD5`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, Fault("ter:NotAuthorized", "Sender not Authorized"))
		return
	}
	_, _ = io.WriteString(w, d.answer(operation))
}

// allowed checks credentials, of HTTP Digest only the user.
func (d *Device) allowed(m *soap.Message, r *http.Request) bool {
	if d.User == "" {
		return true
	}
	if d.HTTPDigest {
		return strings.Contains(r.Header.Get("Authorization"), fmt.Sprintf("username=%q", d.User))
	}
	s := m.Header.Security
	if s == nil || s.Username != d.User || !s.Verify(d.Password) {
		return false
	}
	created, err := time.Parse(time.RFC3339, s.Created)
	return err == nil && time.Since(created.Add(-d.Skew)).Abs() < time.Minute
}

func (d *Device) answer(operation string) string {
	switch operation {
	case "GetSystemDateAndTime":
		t := time.Now().Add(d.Skew).UTC()
		return body("tds:GetSystemDateAndTimeResponse", fmt.Sprintf("<tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>%d</tt:Hour>"+
			"<tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time><tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day>"+
			"</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>", t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day()))
	case "GetDeviceInformation":
		return body("tds:GetDeviceInformationResponse", fmt.Sprintf("<tds:Manufacturer>%s</tds:Manufacturer><tds:Model>%s</tds:Model>"+
			"<tds:FirmwareVersion>%s</tds:FirmwareVersion><tds:SerialNumber>%s</tds:SerialNumber>", d.Manufacturer, d.Model, d.Firmware, d.Serial))
	case "GetServices":
		if d.Old {
			return Fault("ter:ActionNotSupported", "not implemented")
		}
		return body("tds:GetServicesResponse", "<tds:Service><tds:Namespace>http://www.onvif.org/ver10/media/wsdl</tds:Namespace>"+
			// As a device behind NAT does.
			"<tds:XAddr>http://203.0.113.9/onvif/media</tds:XAddr></tds:Service>")
	case "GetCapabilities":
		return body("tds:GetCapabilitiesResponse", "<tds:Capabilities><tt:Media><tt:XAddr>"+d.url+"/onvif/media</tt:XAddr></tt:Media></tds:Capabilities>")
	case "GetProfiles":
		return body("trt:GetProfilesResponse", `<trt:Profiles token="main" fixed="true"><tt:Name>mainStream</tt:Name><tt:VideoEncoderConfiguration>`+
			`<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>`+
			`<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>`+
			`</tt:VideoEncoderConfiguration></trt:Profiles>`)
	case "GetStreamUri":
		return body("trt:GetStreamUriResponse", "<trt:MediaUri><tt:Uri>"+d.Stream+"</tt:Uri></trt:MediaUri>")
	}
	return Fault("ter:ActionNotSupported", "not implemented")
}

// Fault returns an envelope with a fault.
func Fault(subcode, reason string) string {
	return envelope("<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>" + subcode + "</s:Value></s:Subcode></s:Code>" +
		"<s:Reason><s:Text>" + reason + "</s:Text></s:Reason></s:Fault>")
}

func body(name, content string) string {
	return envelope("<" + name + ">" + content + "</" + name + ">")
}

func envelope(content string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="` + soap.Namespace + `" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"` +
		` xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>` + content + `</s:Body></s:Envelope>`
}
