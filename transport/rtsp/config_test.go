package rtsp

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBadConfigurationIsRefusedInOneLineWithoutThePassword(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no name", Config{URL: "rtsp://h/"}, "name is empty"},
		{"no URL", Config{}, "url is empty"},
		{"http", Config{URL: "http://admin:hunter2@h/"}, "must begin with rtsp://"},
		{"file", Config{URL: "file:///etc/passwd"}, "must begin with rtsp://"},
		{"rtmp", Config{URL: "rtmp://h/"}, "must begin with rtsp://"},
		{"exec", Config{URL: "exec:sh -c hunter2"}, "contains a space"},
		{"no scheme", Config{URL: "10.0.0.1/stream"}, "is not a URL"},
		{"no host", Config{URL: "rtsp:///stream"}, "is not a URL"},
		{"slash in password", Config{URL: "rtsp://admin:hunter2/x@h/"}, "is not a URL"},
		{"slash after digits", Config{URL: "rtsp://admin:12/hunter2@h/"}, "is not a URL"},
		{"hash in password", Config{URL: "rtsp://admin:12#hunter2@h/"}, "is not a URL"},
		{"question mark in password", Config{URL: "rtsp://admin:12?hunter2@h/"}, "is not a URL"},
		{"@ and slash in password", Config{URL: "rtsp://admin:p@ss/hunter2@h:554/camera"}, "an @ after its host"},
		{"@ and question mark in password", Config{URL: "rtsp://user:a@b?hunter2@h/x"}, "an @ after its host"},
		{"per cent in password", Config{URL: "rtsp://admin:hunter2%@h/"}, "is not a URL"},
		{"port 0", Config{URL: "rtsp://h:0/"}, "port"},
		{"port too large", Config{URL: "rtsp://h:70000/"}, "port"},
		{"control character", Config{URL: "rtsp://h/\r\nTEARDOWN"}, "control character"},
		{"long", Config{URL: "rtsp://h/" + strings.Repeat("x", maxURLBytes)}, "longer than"},
		{"UDP in clear with TLS", Config{URL: "rtsps://h/", Transport: TransportUDP}, "unencrypted"},
		{"transport", Config{URL: "rtsp://h/", Transport: "quic"}, "quic is unknown"},
		{"negative timeout", Config{URL: "rtsp://h/", ReadTimeout: -1}, "timeout"},
		{"endless timeout", Config{URL: "rtsp://h/", StallTimeout: time.Hour}, "timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name != "no name" {
				tt.cfg.Camera = "front"
			}
			_, err := NewClient(tt.cfg)
			require.ErrorIs(t, err, ErrConfig)
			require.EqualError(t, tt.cfg.Check(), err.Error())
			require.ErrorIs(t, tt.cfg.Check(), ErrConfig)
			require.NotContains(t, err.Error(), "auto", "the configuration knows tcp and udp")
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), "\n")
			if tt.name != "no name" {
				require.ErrorContains(t, err, "camera front: ")
			}
		})
	}
}

func TestURLsThatCamerasHave(t *testing.T) {
	for in, want := range map[string][2]string{ // redacted, address
		"rtsp://10.0.0.1/":                           {"rtsp://10.0.0.1/", "10.0.0.1:554"},
		"rtsps://cam.example/live":                   {"rtsps://cam.example/live", "cam.example:322"},
		"rtsp://u:p%40s@[fe80::1]:8554/a?channel=1":  {"rtsp://[fe80::1]:8554/a?channel=1", "[fe80::1]:8554"},
		"rtsp://me@site.example:p@s@h/a%40b?x=%40":   {"rtsp://h/a%40b?x=%40", "h:554"},
		"RTSP://u@h/x?user=a&password=b&subtype=0":   {"rtsp://h/x?user=***&password=***&subtype=0", "h:554"},
		"rtsp://h/user=admin_password=x_channel=1/s": {"rtsp://h/user=***/s", "h:554"},
	} {
		c, err := NewClient(Config{Camera: "front", URL: in})
		require.NoError(t, err, in)
		require.NoError(t, Config{Camera: "front", URL: in}.Check())
		require.Equal(t, want[0], c.URL())
		require.Equal(t, want[0], RedactURL(in))
		require.Equal(t, want[1], address(c.url))
	}
	require.Equal(t, "(unreadable URL)", RedactURL("rtsp://admin:hunter2/x@h/"))
}

func FuzzParseURL(f *testing.F) {
	f.Add("rtsp://admin:S3cretPw@h:554/a?b=c")
	f.Add("rtsp://admin:12/S3cretPw@h/")
	f.Add("rtsps://admin:12#S3cretPw@[::1]/")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s)
		shown := RedactURL(s)
		if err != nil {
			require.Equal(t, "(unreadable URL)", shown)
			return
		}
		require.Contains(t, []string{"rtsp", "rtsps"}, u.Scheme)
		if pass, ok := u.User.Password(); ok && len(pass) > 5 && !strings.Contains(u.Host+u.Path+u.RawQuery, pass) {
			require.NotContains(t, shown, pass)
		}
	})
}
