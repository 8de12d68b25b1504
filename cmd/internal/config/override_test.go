package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const twoCameras = `site: plant
nats: {url: "nats://file:4222"}
defaults: {transport: udp}
cameras:
  - {name: hall, url: "rtsp://192.0.2.1/a"}
  - name: back-door
    url: rtsp://192.0.2.2/b
    transport: tcp
    zones:
      - {kind: mask, polygon: [[0, 0], [1, 0], [1, 1]]}
`

// withOverrides reads a text with variables and flags.
func withOverrides(t *testing.T, text string, environ, set []string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	cfg, _, err := Source{File: path, Environ: environ, Set: set}.Inspect(0)
	if err != nil {
		// The folder differs in each run.
		err = &Error{Message: strings.ReplaceAll(err.Error(), path, "f.yaml")}
		err = errorText(strings.TrimPrefix(err.Error(), ": "))
	}
	return cfg, err
}

type errorText string

func (e errorText) Error() string { return string(e) }

func TestFlagsOverrideVariablesAndVariablesOverrideTheFile(t *testing.T) {
	cfg, err := withOverrides(t, twoCameras, []string{
		"SCRIM_SITE=by-variable",
		"SCRIM_NATS_URL=nats://variable:4222",
		"SCRIM_DEFAULTS_OBSCURE_STYLE=mosaic",
		"SCRIM_DEFAULTS_ENCODE={preset: fast, keyframe_interval: 1s}",
		"SCRIM_CAMERAS_HALL_URL=rtsp://192.0.2.9/x?y=1",
		"SCRIM_CAMERAS_BACK_DOOR_DETECT_SIZE=320",
		"SCRIM_CAMERAS_BACK_DOOR_ZONES_0_NAME=window",
		"SCRIM_HTTP_HOSTS=[a.example, b.example]",
		"PATH=/bin",
	}, []string{
		"site=by-flag", "site=by-later-flag",
		"cameras.back-door.detect={threshold: 0.5}",
		"cameras[1].obscure.style=fill",
		"cameras.hall.transport=tcp",
		"defaults.obscure.cells=4",
	})
	require.NoError(t, err)
	require.Empty(t, cfg.Warnings())
	require.Equal(t, Name("by-later-flag"), cfg.Site)
	require.Equal(t, NATSURLs("nats://variable:4222"), cfg.NATS.URL)
	require.Equal(t, []string{"a.example", "b.example"}, cfg.HTTP.Hosts)

	hall, door := cfg.Cameras[0], cfg.Cameras[1]
	require.Equal(t, "rtsp://192.0.2.9/x?y=1", hall.URL.String())
	require.Equal(t, TransportTCP, hall.Transport)
	require.Equal(t, Obscure{Style: StyleMosaic, Padding: 0.3, PaddingTop: 0.5, Cells: 4}, hall.Obscure, "cameras start from the overridden defaults")
	require.Equal(t, Duration(time.Second), hall.Encode.KeyframeInterval)
	require.Equal(t, StyleFill, door.Obscure.Style)
	require.Equal(t, Threshold(0.5), door.Detect.Threshold)
	require.Equal(t, DetectSize(320), door.Detect.Size, "a mapping is merged")
	require.Equal(t, "window", door.Zones[0].Name)
}

func TestListsAndThenTheirItemsCanBeOverridden(t *testing.T) {
	cfg, err := withOverrides(t, "site: a\n", []string{
		"SCRIM_CAMERAS_ROOF_USER=viewer",
		"SCRIM_CAMERAS_ROOF_PASSWORD=env:ROOF",
		"SCRIM_CAMERAS=[{name: roof, url: 'rtsp://192.0.2.1/'}]",
	}, []string{"cameras.roof.zones=[{kind: tiles, polygon: [[0, 0], [1, 0], [1, 1]]}]"})
	require.NoError(t, err)
	require.Len(t, cfg.Cameras, 1)
	require.Equal(t, "viewer", cfg.Cameras[0].User)
	require.Len(t, cfg.Cameras[0].Zones, 1)
}

func TestMistakesInOverridesNameTheVariableOrFlag(t *testing.T) {
	for name, c := range map[string]struct {
		environ, set []string
		want         string
	}{
		"typo in a flag":    {nil, []string{"nats.ulr=nats://a"}, "--set nats.ulr: unknown key `ulr`; did you mean `url`?"},
		"typo in its value": {nil, []string{"nats={ulr: a}"}, "--set nats: unknown key `ulr`; did you mean `url`?"},
		"unknown camera":    {nil, []string{"cameras.hal.url=rtsp://a"}, "--set cameras.hal.url: `cameras` has no `hal`; did you mean `hall`?"},
		"unknown item":      {nil, []string{"cameras[2].url=rtsp://a"}, "--set cameras[2].url: `cameras` has no item `[2]`; it has 2, counted from [0]"},
		"below a value":     {nil, []string{"site.name=a"}, "--set site.name: `site` is a single value and has no key `name`"},
		"no value":          {nil, []string{"site="}, "--set site: has no value; set or remove it"},
		"null":              {nil, []string{"site=null"}, "--set site: `site` has no value; set or remove it"},
		"no equals sign":    {nil, []string{"site"}, "--set: write --set PATH=VALUE, such as --set nats.url=nats://hub:4222"},
		"no YAML":           {nil, []string{"site=[a"}, "--set site: invalid YAML: sequence end token ']' not found"},
		"bad value": {nil, []string{"cameras.hall.detect.size=7"},
			"--set cameras.hall.detect.size: `cameras[0].detect.size`: invalid detector size \"7\": must be a multiple of 32 from 160 to 1920, such as 640"},
		"bad value of variable": {[]string{"SCRIM_CAMERAS_HALL_TRANSPORT=http"}, nil,
			"SCRIM_CAMERAS_HALL_TRANSPORT: `cameras[0].transport`: invalid transport \"http\": must be one of tcp, udp, multicast"},
		"empty variable":     {[]string{"SCRIM_SITE="}, nil, "SCRIM_SITE: has no value; set or remove it"},
		"typo in a variable": {[]string{"SCRIM_NATS_ULR=nats://a"}, nil, "SCRIM_NATS_ULR: unknown variable; did you mean SCRIM_NATS_URL?"},
		"camera of a variable": {[]string{"SCRIM_CAMERAS_ROOF_URL=rtsp://a"}, nil,
			"SCRIM_CAMERAS_ROOF_URL: unknown variable; `scrim config env FILE` lists them"},
		"as a whole": {nil, []string{"nats.listen=127.0.0.1:4222"},
			"--set nats.listen: `nats.url` uses an external server and `nats.listen` an embedded one; remove one of them"},
		"as a whole, by variable": {[]string{"SCRIM_DEFAULTS_OBSCURE_PADDING=0.1"}, nil,
			"SCRIM_DEFAULTS_OBSCURE_PADDING: `padding` 0.1 leaves ears and chin visible: must be at least 0.3, or set `cosmetic: true` if that is acceptable"},
		"name of another": {nil, []string{"cameras.back-door.name=hall"},
			"--set cameras.back-door.name: duplicate camera hall: already defined in line 5"},
		"secret itself": {[]string{"SCRIM_NATS_PASSWORD=correct-horse"}, nil,
			"SCRIM_NATS_PASSWORD: `nats.password`: invalid secret: must be env:NAME or file:PATH, not the secret itself"},
		"file": {[]string{"SCRIM_NATS_USER=a"}, nil, "f.yaml:2:8: `nats.user` and `nats.password` must be set together"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := withOverrides(t, twoCameras, c.environ, c.set)
			require.EqualError(t, err, c.want)
		})
	}
}

// With an unused pin, a camera would be read in the clear from any host that answers.
func TestPinsOfOverridesAreRefusedOrUsed(t *testing.T) {
	pin := strings.Repeat("0a", 32)
	const refused = ": camera hall: `tls` needs an rtsps:// `url`; this one is rtsp://"
	for name, c := range map[string]struct {
		environ, set []string
		want         string
	}{
		"flag":              {nil, []string{"cameras.hall.tls.fingerprint=" + pin}, "--set cameras.hall.tls.fingerprint" + refused},
		"variable":          {[]string{"SCRIM_CAMERAS_HALL_TLS_FINGERPRINT=" + pin}, nil, "SCRIM_CAMERAS_HALL_TLS_FINGERPRINT" + refused},
		"as a whole":        {nil, []string{"cameras.hall.tls={fingerprint: '" + pin + "'}"}, "--set cameras.hall.tls" + refused},
		"authority":         {nil, []string{"cameras.hall.tls.ca=/ca.pem"}, "--set cameras.hall.tls.ca" + refused},
		"authority, by it":  {[]string{"SCRIM_CAMERAS_HALL_TLS_CA=/ca.pem"}, nil, "SCRIM_CAMERAS_HALL_TLS_CA" + refused},
		"URL without TLS":   {nil, []string{"cameras.back-door.url=rtsp://192.0.2.2/b"}, "f.yaml:9:11" + strings.ReplaceAll(refused, "hall", "back-door")},
		"with rtsps":        {nil, []string{"cameras.hall.tls.fingerprint=" + pin, "cameras.hall.url=rtsps://192.0.2.1/a", "cameras.hall.transport=tcp"}, ""},
		"with rtsps before": {nil, []string{"cameras.back-door.tls.fingerprint=" + strings.Repeat("0b", 32)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(twoCameras, "rtsp://192.0.2.2/b", "rtsps://192.0.2.2/b\n    tls:\n      ca: /ca.pem", 1)
			cfg, err := withOverrides(t, text, c.environ, c.set)
			if c.want != "" {
				require.EqualError(t, err, c.want)
				return
			}
			require.NoError(t, err)
			i := 0
			if strings.Contains(c.set[0], "back-door") {
				i = 1
			}
			require.NotEmpty(t, cfg.Cameras[i].TLS.Trust().Fingerprint)
		})
	}
}

func TestVariablesOfOtherProgramsAreIgnored(t *testing.T) {
	text := twoCameras + "http: {token: 'env:SCRIM_HTTP_TOKEN'}\n"
	cfg, err := withOverrides(t, text, []string{
		"SCRIM_MODELS=/models",              // Scrim's own, but not a setting
		"SCRIM_MODELS_MIRROR=/mirror",       //
		"SCRIM_REQUIRE=all", "SCRIM_LONG=1", // for tests
		"SCRIM_ORACLE_SEEDS=2", "SCRIM_REMOVE_RULES=x", //
		"SCRIM_SCREENSHOTS=/tmp",                         //
		"SCRIM_HTTP_TOKEN=[not: a: reference",            // the secret itself, as the file says
		"SCRIM_SECRET=x",                                 // a secret that a flag names
		"SCRIM_PORT=tcp://10.0.0.1:8080",                 // Kubernetes, for a service named scrim
		"SCRIM_NATS_SERVICE_HOST=10.0.0.2",               // and for scrim-nats
		"SCRIM_NATS_PORT_4222_TCP_ADDR=10.0.0.2",         //
		"SCRIM_NATS_PORT_4222_TCP=tcp://10.0.0.2:4222",   //
		"SCRIMSHAW=1", "SCRIM_BUILD_HOST=x", "EMPTY", "", // of other programs
	}, []string{"nats.user=a", "nats.password=env:SCRIM_SECRET"})
	require.NoError(t, err)
	require.Equal(t, []string{"ignoring variable SCRIM_BUILD_HOST, which is not a setting"}, cfg.Warnings())
}

func TestVariableThatFitsTwoCamerasIsRefused(t *testing.T) {
	_, err := withOverrides(t, "cameras: [{name: a-b, url: 'rtsp://a'}, {name: a_b, url: 'rtsp://b'}]\n", []string{"SCRIM_CAMERAS_A_B_URL=rtsp://c"}, nil)
	require.EqualError(t, err, "SCRIM_CAMERAS_A_B_URL: ambiguous: sets `cameras[0].url` or `cameras[1].url`; use --set PATH=VALUE")
}

// Every key of the example can be set by its variable and by its path.
func TestEverySettingHasAVariableAndAPath(t *testing.T) {
	source := Source{File: filepath.Join("..", "..", "..", "docs", "scrim.example.yaml")}
	cfg, _, err := source.Inspect(0)
	require.NoError(t, err)
	names := cfg.Variables()
	for _, key := range []string{"SCRIM_SITE", "SCRIM_HTTP_ICE_SERVERS_1_USER", "SCRIM_RTSP_SERVER_USERS_RECEPTION_CAMERAS",
		"SCRIM_CAMERAS_GATE_ZONES_0_POLYGON"} {
		require.Contains(t, names, key)
	}
	for name, path := range names {
		if strings.HasPrefix(name, "SCRIM_CAMERAS_GATE_ZONES_") {
			continue // their names contain spaces
		}
		at, err := find(cfg, &override{key: path})
		require.NoError(t, err, name)
		require.Equal(t, path, at.path)
	}
	require.Greater(t, len(names), len(allKeys()))
}

func FuzzOverrides(f *testing.F) {
	f.Add("nats.url", "nats://a")
	f.Add("cameras[1].zones[0]", "{kind: mask}")
	f.Add("cameras.hall", "[")
	f.Add("defaults", "{obscure: {cells: 5}}")
	f.Add("[", "? ")
	f.Fuzz(func(t *testing.T, path, value string) {
		flags, err := readFlags([]string{path + "=" + value})
		if err == nil {
			var vars []*override
			vars, err = readVariables([]string{EnvPrefix + path + "=" + value})
			require.NoError(t, err)
			_, _, err = parse("f.yaml", []byte(twoCameras), vars, flags)
		}
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
		}
	})
}
