package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// compileSchema compiles the schema with a foreign library.
func compileSchema(t testing.TB, s any) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("scrim.json", doc))
	compiled, err := c.Compile("scrim.json")
	require.NoError(t, err)
	return compiled
}

func fileSchema(t testing.TB) *Schema {
	t.Helper()
	s, err := FileSchema()
	require.NoError(t, err)
	return s
}

// instance parses YAML as an editor does.
func instance(t testing.TB, text string) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	b, err := json.Marshal(v)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	require.NoError(t, err)
	return doc
}

// writtenExamples returns all configurations in the documentation.
func writtenExamples(t testing.TB) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	out := map[string]string{}
	for _, pattern := range []string{"docs/*.yaml", "deploy/*.yaml", "deploy/*.yml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, f := range files {
			text, err := os.ReadFile(f) //nolint:gosec // of the repository
			require.NoError(t, err)
			out[f] = string(text)
		}
	}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		for _, f := range files {
			text, err := os.ReadFile(f) //nolint:gosec // of the repository
			require.NoError(t, err)
			for i, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
				out[fmt.Sprintf("%s, example %d", f, i+1)] = m[1]
			}
		}
	}
	require.GreaterOrEqual(t, len(out), 5)
	return out
}

func TestWrittenExamplesFollowTheSchema(t *testing.T) {
	schema := compileSchema(t, fileSchema(t))
	for name, text := range writtenExamples(t) {
		require.NoError(t, schema.Validate(instance(t, text)), name)
		_, err := Parse(name, []byte(text))
		require.NoError(t, err)
	}
}

func TestWhatTheDecoderRefusesTheSchemaRefuses(t *testing.T) {
	schema := compileSchema(t, fileSchema(t))
	for _, text := range []string{
		"siet: a", "model: best", "site: Plant", "nats: {ulr: 'nats://a'}", "nats: {url: 'http://a'}", "http: {listen: localhost}", "http: {token: hunter2}",
		"http: {udp_port: 70000}", "http: {ice_servers: [{user: a}]}", "http: {allow_origins: '*'}", "rtsp_server: {max_sessions: 0}",
		"rtsp_server: {users: [{name: a}]}", "require_sandbox: 'true'", "defaults: {transport: http}", "defaults: {obscure: {style: gauss}}",
		"defaults: {detect: {size: 641}}", "defaults: {detect: {threshold: 1}}", "defaults: {lookahead: 31}", "defaults: {encode: {bitrate: 4M}}",
		"defaults: {encode: {keyframe_interval: 2}}", "defaults: {url: 'rtsp://a'}", "cameras: {}", "cameras: [{name: a}]",
		"cameras: [{name: a, url: 'http://a'}]", "cameras: [{name: a, url: 'rtsp://a', zones: [{kind: msak, polygon: []}]}]",
		"cameras: [{name: a, url: 'rtsp://a', zones: [{kind: mask, polygon: [[0, 2]]}]}]", "site: null",
	} {
		require.Error(t, schema.Validate(instance(t, text)), text)
		_, err := Parse("f", []byte(text))
		require.Error(t, err, text)
	}
}

// schemaPaths lists all keys of a schema.
func schemaPaths(prefix string, s *Schema) (out []string) {
	if s.Items != nil {
		return schemaPaths(prefix+"[]", s.Items)
	}
	for key, p := range s.Properties {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		out = append(append(out, path), schemaPaths(path, p)...)
	}
	return out
}

// decoderPaths lists all keys that the decoder accepts. It learns them from the
// decoder's error for an unknown key, which lists the known ones.
func decoderPaths(t *testing.T, prefix string, yamlBefore, yamlAfter string) (out []string) {
	t.Helper()
	const unknown = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
	_, err := Parse("f", []byte(yamlBefore+unknown+": 1"+yamlAfter))
	if err == nil {
		return nil
	}
	_, known, ok := strings.Cut(err.Error(), "known keys: ")
	if !ok {
		return nil
	}
	for key := range strings.SplitSeq(known, ", ") {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		out = append(out, path)
		out = append(out, decoderPaths(t, path, yamlBefore+key+": {", "}"+yamlAfter)...)
		out = append(out, decoderPaths(t, path+"[]", yamlBefore+key+": [{", "}]"+yamlAfter)...)
	}
	return out
}

func TestSchemaAndDecoderKnowTheSameKeys(t *testing.T) {
	decoder := decoderPaths(t, "", "{", "}")
	require.Contains(t, decoder, "cameras[].zones[].polygon")
	require.Contains(t, decoder, "defaults.encode.preset")
	require.ElementsMatch(t, decoder, schemaPaths("", fileSchema(t)))
}

func TestEveryKeyIsDescribed(t *testing.T) {
	var walk func(path string, s *Schema)
	walk = func(path string, s *Schema) {
		if s.Items != nil {
			walk(path+"[]", s.Items)
		}
		for key, p := range s.Properties {
			require.Greater(t, len(p.Description), 10, path+"."+key)
			require.NotRegexp(t, `zone\.|[a-z][A-Z]`, p.Description, path+"."+key)
			walk(path+"."+key, p)
		}
	}
	walk("", fileSchema(t))
}

// The rules of a value are written twice: in the code that decodes it and in the schema.
func TestAcceptedValuesFollowTheSchemaOfTheirType(t *testing.T) {
	type described interface {
		encoding.TextUnmarshaler
		schema() *Schema
	}
	for _, c := range valueCases() {
		v, ok := c.value.(described)
		require.True(t, ok, "%T", c.value)
		schema := compileSchema(t, v.schema())
		for _, text := range c.good {
			var value any = text
			if v.schema().Type != "string" {
				value = instance(t, text)
			}
			require.NoError(t, schema.Validate(value), "%T %q", c.value, text)
		}
	}
}

// Keys that the schema marks as required are required.
func TestRequiredKeysAreRequired(t *testing.T) {
	whole := "cameras: [{name: a, url: 'rtsp://a', zones: [{kind: mask, polygon: [[0, 0], [1, 0], [1, 1]]}]}]\n" +
		"rtsp_server: {listen: '127.0.0.1:1', users: [{name: b, password: 'env:X'}]}\n" +
		"http: {ice_servers: [{url: 'stun:a'}]}\n"
	_, err := Parse("f", []byte(whole))
	require.NoError(t, err)
	for _, key := range []string{
		"name: a, ", "url: 'rtsp://a', ", "kind: mask, ", ", polygon: [[0, 0], [1, 0], [1, 1]]", "name: b, ", ", password: 'env:X'", "url: 'stun:a'",
	} {
		require.Contains(t, whole, key)
		text := strings.Replace(whole, key, "", 1)
		_, err := Parse("f", []byte(text))
		require.Error(t, err, text)
		require.Error(t, compileSchema(t, fileSchema(t)).Validate(instance(t, text)), text)
	}
	count := 0
	var walk func(s *Schema)
	walk = func(s *Schema) {
		count += len(s.Required)
		for _, p := range s.Properties {
			walk(p)
		}
		if s.Items != nil {
			walk(s.Items)
		}
	}
	walk(fileSchema(t))
	require.Equal(t, 7, count)
	require.Equal(t, reflect.TypeFor[Config]().NumField()-1, len(fileSchema(t).Properties))
}
