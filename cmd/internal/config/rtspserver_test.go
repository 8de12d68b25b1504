package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRTSPServerNeedsWhatKeepsStrangersOut(t *testing.T) {
	const user = "users: [{name: nvr, password: env:X}]"
	for text, want := range map[string]string{
		"{udp_port: 8000}":                                                              "`rtsp_server` needs `listen`",
		"{listen: 0.0.0.0:8554}":                                                        "other machines can reach",
		"{listen: 127.0.0.1:8554, udp_port: 8001}":                                      "must be even",
		"{listen: 127.0.0.1:8554, onvif: ':8000'}":                                      "other machines can reach :8000",
		"{onvif: 127.0.0.1:8000}":                                                       "needs `listen`",
		"{listen: 127.0.0.1:8554, tls: {cert: a}}":                                      "`cert` and `key`",
		"{listen: 127.0.0.1:1, udp_port: 2, tls: {cert: a, key: b}}":                    "no effect with `tls`",
		"{listen: :1, users: [{name: nvr}]}":                                            "no `password`",
		"{listen: :1, users: [{password: env:X}]}":                                      "without `name`",
		"{listen: :1, users: [{name: nvr, password: plain}]}":                           "not the secret itself",
		"{listen: :1, users: [{name: 'a b', password: env:X}]}":                         "use 1 to 64",
		"{listen: :1, max_sessions: 0, " + user + "}":                                   "from 1 to",
		"{listen: :1, users: [{name: a, password: env:X}, {name: a, password: env:Y}]}": "is defined twice",
		"{listen: :1, users: [{name: a, password: env:X, cameras: [Hall]}]}":            "may hold only",
	} {
		_, err := Parse("f", []byte("rtsp_server: "+text+"\n"))
		require.ErrorContains(t, err, want, text)
	}
	for _, text := range []string{"{listen: 127.0.0.1:8554}", "{listen: '[::1]:0'}", "{listen: :8554, " + user + "}"} {
		c, err := Parse("f", []byte("rtsp_server: "+text+"\n"))
		require.NoError(t, err, text)
		require.EqualValues(t, 100, c.RTSPServer.MaxSessions)
	}
	c, err := Parse("f", []byte("site: a\n"))
	require.NoError(t, err)
	require.Empty(t, c.RTSPServer.Listen, "off by default")
}

func TestRTSPServerWarnsOfProbableMistakes(t *testing.T) {
	c, err := Parse("f", []byte(`
rtsp_server: {listen: ':8554', users: [{name: nvr, password: env:X, cameras: [hal]}]}
cameras: [{name: hall, url: rtsp://h/x}]
`))
	require.NoError(t, err)
	require.Len(t, c.Warnings(), 2)
	require.Contains(t, c.Warnings()[0], "not encrypted")
	require.Contains(t, c.Warnings()[1], "camera hal,")
	require.Equal(t, []string{"hal"}, c.RTSPServer.AuthUsers()[0].Cameras)
}
