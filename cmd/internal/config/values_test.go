package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// valueCase is a type of value with texts that it accepts and texts that it refuses.
type valueCase struct {
	value     encoding.TextUnmarshaler
	good, bad []string
}

func valueCases() []valueCase {
	return []valueCase{
		{new(Name), []string{"hall", "a-1_b", "0"}, []string{"", "Hall", "a.b", "-a", "a b", "*", ">", "ä", strings.Repeat("a", 64)}},
		{new(Duration), []string{"2s", "250ms", "1m30s"}, []string{"", "2", "0s", "-1s", "2 s", "2sec"}},
		{new(Bitrate), []string{"auto", "4Mbit/s", "1.5 Mbit/s", "800kbit/s", "4000000", "64000bit/s"},
			[]string{"", "4M", "4Mbps", "4MB/s", "-4Mbit/s", "63kbit/s", "101Mbit/s", "1e6", "NaN", "Inf", "0x10p9", "1.2.3Mbit/s"}},
		{new(DetectSize), []string{"160", "640", "1920"}, []string{"", "641", "128", "1952", "-640", "640px", "6.4e2"}},
		{new(Rotation), []string{"0", "90", "180", "270"}, []string{"", "360", "-90", "45", "90°", "9e1", "auto"}},
		{new(Threshold), []string{"0.3", "0.05", ".9"}, []string{"", "0", "1", "NaN", "0,3", "-0.3", "30%"}},
		{new(Padding), []string{"0", "0.3", "2"}, []string{"", "-0.1", "2.1", "NaN", "30%"}},
		{new(Cells), []string{"1", "5", "32"}, []string{"", "0", "33", "-1", "2.5"}},
		{new(Port), []string{"0", "8189", "65535"}, []string{"", "65536", "-1", "http"}},
		{new(Engine), []string{"auto", "scrim", "scrim-avx2", "opencv"}, []string{"", "Scrim", "onnx"}},
		{new(Style), []string{"veil", "blur", "mosaic", "fill"}, []string{"", "Veil", "gauss", "none"}},
		{new(Cover), []string{"faces", "people", "motion"}, []string{"", "Faces", "none"}},
		{new(WhenBlind), []string{"motion", "slate", "warn"}, []string{"", "off"}},
		{new(Need), []string{"48px", "8px", "1000px", "5%", "1%", "7.5%", "50%"}, []string{"", "48", "7px", "1001px", "0%", "51%", "-5%", "NaN%", "5 %", "4.8px"}},
		{new(AbsorbTime), []string{"10m", "10s", "0", "0s", "24h"}, []string{"", "9s", "-1m", "10"}},
		{new(SightInterval), []string{"1s", "10s", "1m"}, []string{"", "0", "999ms", "61s", "10"}},
		{new(Transport), []string{"tcp", "udp"}, []string{"", "TCP", "http"}},
		{new(Preset), []string{"ultrafast", "medium"}, []string{"", "placebo"}},
		{new(CameraURL), []string{"rtsp://a", "rtsps://a:322/b?c=d", "rtsp://[::1]:554/x", "rtsp://u:p@a/"},
			[]string{"", "a", "/dev/video0", "file:///etc/passwd", "http://a", "rtsp:///x", "rtsp://a:0/", "rtsp://a:99999/", "rtsp://a/#x", "rtsp://a/#",
				"rtsp:a", "exec:rtsp://a", "rtsp://a\n", "rtsp://a/" + strings.Repeat("x", 2048)}},
		{new(Address), []string{":8080", "127.0.0.1:0", "[::1]:80", "localhost:8080"}, []string{"", "8080", "a", "a:http", "a:-1", "http://a:80", "::1:80"}},
		{new(NATSURLs), []string{"nats://a", "tls://a:4222", "nats://a,nats://b:4222"},
			[]string{"", "a:4222", "ws://a", "nats://", "nats://u:p@a", "nats://a/b", "nats://a,", "nats://a?x"}},
		{new(ICEURL), []string{"stun:a", "stun:a:3478", "turn:a:3478?transport=udp", "turns:[::1]:5349"},
			[]string{"", "a", "http:a", "stun:", "stun:a?transport=udp", "turn:a?x", "stun://a", "turn:a>;b", "stun:u@a", "turn:a:99999"}},
		{new(Secret), []string{"env:A", "file:/run/secrets/a"}, []string{"", "hunter2", "env:", "file:", "exec:ls", "http://a"}},
		{new(Fingerprint), []string{strings.Repeat("0a", 32), strings.TrimSuffix(strings.Repeat("0A:", 32), ":"), "SHA256:" + strings.Repeat("fe", 32)},
			[]string{"", "0a", strings.Repeat("0g", 32), strings.Repeat("0a", 20)}},
		{new(CertificateFile), []string{"/etc/scrim/ca.pem"}, []string{""}},
		{new(Lookahead), []string{"0", "30"}, []string{"", "31", "-1", "1.5"}},
		{new(Count), []string{"1", "10000"}, []string{"", "0", "10001"}},
		{new(Fraction), []string{"0", "0.25", "1"}, []string{"", "-0.1", "1.1", "25%"}},
		{new(Origin), []string{"*", "https://a.example", "http://a:8080"}, []string{"", "a", "https://a/", "ftp://a"}},
		{new(ZoneKind), []string{"mask", "tiles", "ignore"}, []string{"", "Mask"}},
		{new(ZoneReason), []string{"billboard"}, []string{"", "boring"}},
		{new(VendorName), []string{"Dahua", "acme cams"}, []string{"", "12"}},
	}
}

func TestValuesAcceptValidTextsOnly(t *testing.T) {
	for _, c := range valueCases() {
		t.Run(reflect.TypeOf(c.value).Elem().Name(), func(t *testing.T) {
			for _, s := range c.good {
				require.NoError(t, c.value.UnmarshalText([]byte(s)), "%q", s)
			}
			before := fmt.Sprint(c.value)
			for _, s := range c.bad {
				require.Error(t, c.value.UnmarshalText([]byte(s)), "%q", s)
			}
			require.Equal(t, before, fmt.Sprint(c.value), "a refused value must not be kept")
		})
	}
}

func TestBitratePrintsWhatItReads(t *testing.T) {
	for text, want := range map[string]Bitrate{"auto": 0, "4Mbit/s": 4_000_000, "1500kbit/s": 1_500_000, "64001bit/s": 64_001} {
		var b Bitrate
		require.NoError(t, b.UnmarshalText([]byte(text)))
		require.Equal(t, want, b)
		require.Equal(t, text, b.String())
	}
}

func TestLoopbackIsOnlyThisMachine(t *testing.T) {
	for address, want := range map[Address]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true,
		":1": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "": false,
	} {
		require.Equal(t, want, address.Loopback(), address)
	}
}

const password = "correct-horse"

func TestNothingPrintsAPassword(t *testing.T) {
	t.Setenv("SCRIM_TEST_PASSWORD", password)
	path := filepath.Join(t.TempDir(), "scrim.yaml")
	require.NoError(t, os.WriteFile(path, []byte(`http: {token: "env:SCRIM_TEST_PASSWORD"}
cameras:
  - {name: a, url: "rtsp://192.0.2.1/", user: u, password: "env:SCRIM_TEST_PASSWORD"}
  - {name: b, url: "rtsp://u:correct-horse@192.0.2.2/"}
  - {name: c, url: "rtsp://192.0.2.3/user=admin_password=correct-horse_channel=1"}
  - {name: d, url: "rtsp://192.0.2.4/live?channel=1&token=correct-horse"}
`), 0o600))
	cfg, err := Source{File: path}.Load(CamerasPart | HTTPPart)
	require.NoError(t, err)

	for i := range cfg.Cameras {
		require.Contains(t, cfg.Cameras[i].Address().String(), password, "the camera itself gets it")
	}
	require.Equal(t, password, cfg.HTTP.Token.Value())

	var text strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&text, verb, *cfg)
		fmt.Fprintf(&text, verb, cfg)
		fmt.Fprintf(&text, verb, cfg.Cameras)
	}
	require.NoError(t, json.NewEncoder(&text).Encode(cfg))
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "config", cfg, "token", cfg.HTTP.Token, "url", cfg.Cameras[1].URL)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("x", "config", cfg, "token", cfg.HTTP.Token, "url", cfg.Cameras[1].URL)
	require.NotContains(t, text.String(), password)
	require.Contains(t, text.String(), "***")
	require.Equal(t, "rtsp://192.0.2.2/", cfg.Cameras[1].URL.String())
	require.Equal(t, "rtsp://192.0.2.3/user=***", cfg.Cameras[2].URL.String())
	require.Equal(t, "rtsp://192.0.2.4/live?channel=1&token=***", cfg.Cameras[3].URL.String())
}

func TestErrorsDoNotQuotePasswords(t *testing.T) {
	for _, yaml := range []string{
		"http: {token: correct-horse}\n",
		"cameras: [{name: a, url: \"rtsp://u:correct-horse%zz@b/\"}]\n",
		"cameras: [{name: a, url: \"rtsp://u:correct-horse/#@b/\"}]\n",
		"cameras: [{name: a, url: \"rtsp://correct-horse:b\"}]\n",
		"cameras: [{name: a, url: \"http://u:correct-horse@b/\"}]\n",
		"nats: {url: \"nats://u:correct-horse@b\"}\n",
	} {
		_, err := Parse("f", []byte(yaml))
		require.Error(t, err)
		require.NotContains(t, err.Error(), password, yaml)
	}
}

func TestSecretsAreReadFromFilesAndEnvironment(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte(password+"\n"), 0o600))
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	config := filepath.Join(dir, "scrim.yaml")
	load := func(ref string) (*Config, error) {
		require.NoError(t, os.WriteFile(config, []byte("http:\n  token: "+ref+"\n"), 0o600))
		return Source{File: config}.Load(CamerasPart | HTTPPart)
	}

	cfg, err := load("file:" + file)
	require.NoError(t, err)
	require.Equal(t, password, cfg.HTTP.Token.Value())

	for ref, want := range map[string]string{
		"file:" + empty:           "is empty",
		"file:" + file + "x":      "no such file",
		"file:/dev/zero":          "not a regular file",
		"env:SCRIM_TEST_NOT_SET_": "environment variable SCRIM_TEST_NOT_SET_ is not set",
	} {
		_, err := load(ref)
		require.ErrorContains(t, err, config+":2:10: ")
		require.ErrorContains(t, err, want)
	}
}

// leafKeys lists the keys of a struct that have no keys below them.
func leafKeys(v any) []string {
	var walk func(v reflect.Value) []string
	walk = func(v reflect.Value) (keys []string) {
		for _, f := range fieldsOf(v) {
			_, leaf := reflect.TypeAssert[encoding.TextUnmarshaler](f.value.Addr())
			switch {
			case !leaf && f.value.Kind() == reflect.Struct:
				keys = append(keys, walk(f.value)...)
			case !leaf && f.value.Kind() == reflect.Slice && f.value.Len() > 0:
				keys = append(keys, f.key)
				keys = append(keys, walk(f.value.Index(0))...)
			default:
				keys = append(keys, f.key)
			}
		}
		return keys
	}
	return walk(reflect.ValueOf(v).Elem())
}

func TestEditDistanceCountsASwapOnce(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"widht", "width", 1}, {"sze", "size", 1}, {"sizee", "size", 1}, {"kitten", "sitting", 3}, {"", "abc", 3}} {
		require.Equal(t, c.want, editDistance(c.a, c.b), "%s %s", c.a, c.b)
	}
}

func TestVendorsToFlagAreNames(t *testing.T) {
	cfg, err := Parse("f", []byte("audit:\n  flag_vendors: [Dahua, acme cams]\n"))
	require.NoError(t, err)
	require.Equal(t, []VendorName{"Dahua", "acme cams"}, cfg.Audit.FlagVendors)
	cfg, err = Parse("f", []byte("audit:\n  flag_vendors: []\n"))
	require.NoError(t, err)
	require.NotNil(t, cfg.Audit.FlagVendors, "an empty list flags none; without a list, the default applies")
	require.Empty(t, cfg.Audit.FlagVendors)
	cfg, err = Parse("f", nil)
	require.NoError(t, err)
	require.Nil(t, cfg.Audit.FlagVendors)
	for _, bad := range []string{"audit:\n  flag_vendors: [12]\n", "audit:\n  flag_vendor: [a]\n", "audit:\n  flag_vendors: a\n"} {
		_, err = Parse("f", []byte(bad))
		require.Error(t, err, bad)
	}
}
