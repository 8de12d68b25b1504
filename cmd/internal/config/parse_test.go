package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const oneCamera = "cameras:\n  - name: hall\n    url: rtsp://192.0.2.1/a\n"

func TestEveryMistakeIsNamedWithLineAndColumn(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"typo in a camera": {oneCamera + "    transprot: tcp\n",
			"f.yaml:4:5: unknown key `transprot`; did you mean `transport`?"},
		"swapped letters": {"siet: a\n", "f.yaml:1:1: unknown key `siet`; did you mean `site`?"},
		"typo two levels down": {oneCamera + "    detect:\n      sise: 640\n",
			"f.yaml:5:7: unknown key `sise`; did you mean `size`?"},
		"first of two typos": {"sitte: a\nmodell: b\n", "f.yaml:1:1: unknown key `sitte`; did you mean `site`?"},
		"key on the wrong level": {oneCamera + "    bitrate: 4Mbit/s\n",
			"f.yaml:4:5: unknown key `bitrate`; did you mean `bitrate` in `encode`?"},
		"unlike anything": {"nats: {wibble: 1}\n",
			"f.yaml:1:8: unknown key `wibble`; known keys: url, listen, user, password"},
		"key twice": {"site: a\nsite: b\n",
			`f.yaml:2:1: invalid YAML: mapping key "site" already defined at [1:1]`},
		"no value": {"http:\n  token:\n",
			"f.yaml:2:3: `http.token` has no value; set or remove it"},
		"empty item":           {"cameras:\n  -\n", "f.yaml:2:5: `cameras[0]` has no value; set or remove it"},
		"explicit null":        {"http: ~\n", "f.yaml:1:1: `http` has no value; set or remove it"},
		"list for a value":     {"site: [a]\n", "f.yaml:1:7: `site` must be a single value, not a list or mapping"},
		"value for a list":     {"cameras: hall\n", "f.yaml:1:10: `cameras` must be a list"},
		"value for a mapping":  {"nats: nats://a\n", "f.yaml:1:7: `nats` must hold keys and values"},
		"not a mapping at all": {"- a\n", "f.yaml:1:1: file must hold keys and values, such as `site: plant-1`"},
		"text for a truth value": {"defaults: {allow_basic: \"true\"}\n",
			"f.yaml:1:25: `defaults.allow_basic` must be true or false"},
		"anchor": {"site: &a x\n",
			"f.yaml:1:7: YAML anchors, aliases and tags are not supported; write the value out, or put it into `defaults`"},
		"merge key": {"nats:\n  <<: {user: a}\n",
			"f.yaml:2:3: YAML merge keys are not supported; put common values into `defaults`"},
		"bad indentation": {"nats:\n\turl: a\n",
			"f.yaml:2:1: invalid YAML: found character tab that cannot start any token"},
		"two documents": {"site: a\n---\nsite: b\n", "f.yaml: more than one YAML document"},
		"bad name": {"cameras: [{name: Hall, url: rtsp://a}]\n",
			"f.yaml:1:18: `cameras[0].name`: name \"Hall\" may hold only a-z, 0-9, '-' and '_' and must start with a letter or digit"},
		"other scheme": {"cameras: [{name: a, url: http://a/}]\n",
			"f.yaml:1:26: `cameras[0].url`: invalid camera URL: must start with rtsp:// or rtsps://"},
		"bit rate without a unit": {"defaults: {encode: {bitrate: 4M}}\n",
			"f.yaml:1:30: `defaults.encode.bitrate`: invalid bit rate \"4M\": must be 4Mbit/s, 800kbit/s, a number of bit/s, or auto"},
		"camera without name": {"cameras:\n  - url: rtsp://a\n", "f.yaml:2:5: camera without `name`"},
		"camera without URL":  {"cameras:\n  - name: a\n", "f.yaml:2:5: camera a has no `url`"},
		"name twice": {oneCamera + "  - url: rtsp://b\n    name: hall\n",
			"f.yaml:5:11: duplicate camera hall: already defined in line 2"},
		"user twice": {"cameras:\n  - name: a\n    url: rtsp://u:p@b\n    user: u\n",
			"f.yaml:3:10: camera a has a user both in `url` and in `user`; remove one of them"},
		"password without user": {oneCamera + "    password: env:X\n",
			"f.yaml:4:15: camera hall has a `password` but no `user`"},
		"key frames too rare": {"defaults: {encode: {keyframe_interval: 1m}}\n",
			"f.yaml:1:40: invalid `keyframe_interval` 1m0s: must be from 250ms to 10s"},
		"mosaic that can be undone": {oneCamera + "    obscure: {style: mosaic, cells: 6}\n",
			"f.yaml:4:37: obscuring that can be undone: mosaic of 6 cells" + paper},
		"weak cells in defaults, used by a camera": {"defaults: {obscure: {cells: 9}}\n" + oneCamera + "    obscure: {style: blur}\n",
			"f.yaml:5:15: obscuring that can be undone: blur of 9 cells" + paper},
		"thin padding": {"defaults: {obscure: {padding: 0.1}}\n",
			"f.yaml:1:31: `padding` 0.1 leaves ears and chin visible: must be at least 0.3, or set `cosmetic: true` if that is acceptable"},
		"external and embedded": {"nats: {url: \"nats://a\", listen: \":4222\"}\n",
			"f.yaml:1:33: `nats.url` uses an external server and `nats.listen` an embedded one; remove one of them"},
		"open NATS without user": {"nats: {listen: \":4222\"}\n",
			"f.yaml:1:16: other machines can reach :4222 without a password; set `nats.user` and `nats.password`, or listen at 127.0.0.1"},
		"NATS user alone": {"nats: {url: \"nats://a\", user: a}\n",
			"f.yaml:1:8: `nats.user` and `nats.password` must be set together"},
		"STUN with user": {"http: {ice_servers: [{url: \"stun:a\", user: a, password: \"env:X\"}]}\n",
			"f.yaml:1:23: a TURN server needs `user` and `password`; a STUN server must not have them"},
		"unreachable public address": {"http: {public_ips: [0.0.0.0]}\n",
			"f.yaml:1:21: invalid public address 0.0.0.0: viewers cannot reach it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f.yaml", []byte(c.yaml))
			require.EqualError(t, err, c.want)
			var e *Error
			require.ErrorAs(t, err, &e)
		})
	}
}

func TestExampleFileIsValidAndUsesEveryKey(t *testing.T) {
	path := filepath.Join("..", "..", "..", "docs", "scrim.example.yaml")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	cfg, err := Parse(path, data)
	require.NoError(t, err)
	require.Len(t, cfg.Cameras, 2)
	require.Empty(t, cfg.Warnings())

	// The file has every key.
	for _, key := range allKeys() {
		require.Regexp(t, `(?m)^[ #-]*`+key+`:`, string(data))
	}
	// The defaults that the file names are the real ones.
	require.Equal(t, Default().Defaults, cfg.Defaults)
	require.Equal(t, Default().HTTP.Listen, cfg.HTTP.Listen)
}

func TestCameraStartsFromDefaultsWhereverTheyAre(t *testing.T) {
	cfg, err := Parse("f", []byte(oneCamera+`    obscure: {style: mosaic}
defaults:
  transport: udp
  obscure: {cells: 3}
  encode: {bitrate: 1.5Mbit/s}
`))
	require.NoError(t, err)
	cam := cfg.Cameras[0]
	require.Equal(t, TransportUDP, cam.Transport)
	require.Equal(t, Obscure{Style: StyleMosaic, Padding: 0.3, PaddingTop: 0.5, Cells: 3}, cam.Obscure)
	require.Equal(t, StyleVeil, cfg.Defaults.Obscure.Style)

	w := cfg.Redactor(&cam)
	require.Equal(t, "local", w.Site)
	require.Equal(t, "hall", w.Camera)
	require.Equal(t, "mosaic", w.Obscure.Style)
	require.Equal(t, 3, w.Obscure.Cells)
	require.Equal(t, 1_500_000, w.Encode.Bitrate)
	require.Equal(t, 2*time.Second, w.Encode.KeyframeInterval)
	require.Equal(t, 640, w.Detect.Size)
	require.InDelta(t, 0.3, w.Detect.Threshold, 0)
	require.Empty(t, w.Detect.Model)
}

func TestModelIsAKnownNameOrAFile(t *testing.T) {
	cfg, err := Parse("f", nil)
	require.NoError(t, err)
	require.Equal(t, ModelAuto, cfg.Model)
	for _, model := range []Model{"auto", "scrim-face", "yunet-n", "yunet-s", "/m/x", "./x", "x.onnx"} {
		cfg, err := Parse("f", []byte("model: "+model+"\n"))
		require.NoError(t, err)
		require.Equal(t, model, cfg.Model)
		require.Equal(t, strings.Contains(string(model), "x"), model.IsPath())
	}
	_, err = Parse("f", []byte("model: yunet\n"))
	require.EqualError(t, err, "f:1:8: `model`: unknown model \"yunet\"; did you mean yunet-n? (or auto, or the path of an ONNX file)")
	for _, bad := range []string{"model: ''", "model: best", "model: [auto]", "model:"} {
		_, err = Parse("f", []byte(bad))
		require.Error(t, err, bad)
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n"} {
		cfg, err := Parse("f", []byte(text))
		require.NoError(t, err, "%q", text)
		require.Equal(t, Default(), cfg)
	}
}

func TestFileOverTheLimitAndPipeAreRefused(t *testing.T) {
	_, err := Parse("f", make([]byte, MaxFileBytes+1))
	require.EqualError(t, err, "f: longer than 262144 bytes")
	_, err = Source{File: t.TempDir()}.Load(CamerasPart)
	require.ErrorContains(t, err, "not a regular file")
	_, err = Source{File: filepath.Join(t.TempDir(), "missing.yaml")}.Load(CamerasPart)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestDeepNestingIsRefusedBeforeItIsParsed(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 200_000), strings.Repeat("{a: ", 50_000), strings.Repeat("[\n", 100_000), strings.Repeat("- ", 100_000),
		strings.Repeat("? ", 100_000), strings.Repeat(" ", 300) + "a: b",
	} {
		_, err := Parse("f", []byte(text))
		require.ErrorContains(t, err, ": nested too deeply")
	}
}

func TestWarningsNameRiskySettings(t *testing.T) {
	cfg, err := Parse("f", []byte(`http: {listen: ":8080"}
cameras:
  - {name: a, url: "rtsp://u:pw@b", allow_basic: true, obscure: {cosmetic: true}}
`))
	require.NoError(t, err)
	w := cfg.Warnings()
	require.Len(t, w, 4)
	require.NotContains(t, strings.Join(w, " "), "pw@")
}

// allKeys lists the leaf keys of the file.
func allKeys() []string {
	cfg := Default()
	cfg.Cameras = []Camera{{}}
	cfg.HTTP.ICEServers = []ICEServer{{}}
	return leafKeys(cfg)
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "scrim.example.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	for _, s := range []string{
		oneCamera, "a: &a [*a]\n", "? [x]\n: y\n", "{a: {b: {c: [[[[]]]]}}}", "site: !!binary aGk=\n", "<<: *x", "cameras:\n  - \n",
		"site: |\n  a\n", "\"si\\te\": 1", "\xff\xfe", "- - - -", "a: b: c", "%YAML 1.2\n---\n", "site: 'a", "defaults: {<<: {}}", "null: null", "~: ~",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := Parse("f.yaml", data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error is not one positioned line: %q", err)
			}
			return
		}
		for i := range cfg.Cameras {
			if s := cfg.Cameras[i].Address().Scheme; s != "rtsp" && s != "rtsps" {
				t.Fatalf("scheme %q passed", s)
			}
			cfg.Redactor(&cfg.Cameras[i])
		}
		cfg.Warnings()
	})
}

func TestSecretsAreReadOnlyByThePartsThatNeedThem(t *testing.T) {
	t.Setenv("TOKEN", "viewers")
	path := filepath.Join(t.TempDir(), "f.yaml")
	require.NoError(t, os.WriteFile(path, []byte("http: {token: env:TOKEN}\ncameras:\n"+
		"  - {name: a, url: rtsp://b, user: u, password: env:NOT_SET_ANYWHERE}\n"), 0o600))
	cfg, err := Source{File: path}.Load(HTTPPart)
	require.NoError(t, err)
	require.Equal(t, "viewers", cfg.HTTP.Token.Value())
	require.Empty(t, cfg.Cameras[0].Password.Value())
	_, err = Source{File: path}.Load(HTTPPart | CamerasPart)
	require.ErrorContains(t, err, "NOT_SET_ANYWHERE")
	cfg, missing, err := Source{File: path}.Inspect(CamerasPart)
	require.NoError(t, err)
	require.Len(t, missing, 1)
	require.Empty(t, cfg.HTTP.Token.Value())
}

// What the camera's client would refuse is reported when the file is read.
func TestWhatTheClientRefusesIsAMistakeInTheFile(t *testing.T) {
	for _, camera := range []string{
		`{name: a, url: "rtsps://b/", transport: udp}`,
		`{name: a, url: "rtsp://host/x@y"}`,
	} {
		_, err := Parse("f.yaml", []byte("cameras:\n  - "+camera+"\n"))
		var e *Error
		require.ErrorAs(t, err, &e, camera)
		require.Equal(t, 2, e.Line)
	}
}

// paper names who has undone such settings, and what to do.
const paper = " can be recognised by a trained network " +
	"(McPherson, Shokri, Shmatikov: Defeating Image Obfuscation with Deep Learning, 2016; " +
	"Hill et al.: On the (In)effectiveness of Mosaicing and Blurring as Tools for Document Redaction, PoPETs 2016); " +
	"use at most 5 cells, or say `cosmetic: true` where that is acceptable"

// Parse parses and checks a file's content.
func Parse(name string, data []byte) (*Config, error) {
	cfg, _, err := parse(name, data, nil, nil)
	return cfg, err
}

// Load is Inspect with the first secret that cannot be read as the error.
func (s Source) Load(parts Part) (*Config, error) {
	cfg, missing, err := s.Inspect(parts)
	if err == nil && len(missing) > 0 {
		return nil, missing[0]
	}
	return cfg, err
}
