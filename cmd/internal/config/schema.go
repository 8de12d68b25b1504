package config

import (
	"fmt"
	"net/netip"
	"reflect"

	"scrim/redact/zone"
)

// Schema is a JSON Schema (draft-07, which editors know best).
type Schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	MaxLength   int                `json:"maxLength,omitempty"`
	Minimum     *float64           `json:"minimum,omitempty"`
	Maximum     *float64           `json:"maximum,omitempty"`
	MultipleOf  float64            `json:"multipleOf,omitempty"`
	AnyOf       []*Schema          `json:"anyOf,omitempty"`
	Items       *Schema            `json:"items,omitempty"`
	MaxItems    int                `json:"maxItems,omitempty"`
	Properties  map[string]*Schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	// AdditionalProperties is false where keys are listed.
	AdditionalProperties *bool `json:"additionalProperties,omitempty"`
	Default              any   `json:"default,omitempty"`
}

// dialect is the schema of schemas.
const dialect = "http://json-schema.org/draft-07/schema#"

// FileSchema returns the schema of the file. It is made of the types that the
// decoder fills, and the descriptions are their comments. What depends on several
// keys is beyond it: `scrim config check` knows.
func FileSchema() (*Schema, error) {
	said, err := readComments()
	if err != nil {
		return nil, err
	}
	cfg := reflect.ValueOf(Default()).Elem()
	s, err := schemaOf(cfg, said, true)
	if err != nil {
		return nil, err
	}
	s.Dialect, s.Title = dialect, "Scrim"
	s.Description = "A configuration for scrim serve, worker and gateway."
	return s, nil
}

// maxItems bounds the lists of some types.
var maxItems = map[reflect.Type]int{
	reflect.TypeFor[[]Camera](): MaxCameras,
	reflect.TypeFor[[]Zone]():   zone.MaxZones,
}

// schemaOf returns the schema of a value; withDefaults says whether what it holds
// is the default.
func schemaOf(v reflect.Value, said comments, withDefaults bool) (*Schema, error) {
	t := v.Type()
	switch {
	case t == reflect.TypeFor[netip.Addr]():
		return &Schema{Type: "string"}, nil
	case isText(v):
		known, ok := reflect.TypeAssert[interface{ schema() *Schema }](v)
		if !ok {
			return nil, fmt.Errorf("schema: type %s has none", t)
		}
		return known.schema(), nil
	case t.Kind() == reflect.Bool:
		return &Schema{Type: "boolean"}, nil
	case t.Kind() == reflect.String:
		return &Schema{Type: "string"}, nil
	case t.Kind() == reflect.Slice:
		items, err := schemaOf(reflect.New(t.Elem()).Elem(), said, false)
		return &Schema{Type: "array", Items: items, MaxItems: maxItems[t]}, err
	}
	s := &Schema{Type: "object", Properties: map[string]*Schema{}, AdditionalProperties: new(bool)}
	for _, f := range fieldsOf(v) {
		p, err := schemaOf(f.value, said, withDefaults)
		if err != nil {
			return nil, err
		}
		p.Description = said.of(f)
		if withDefaults {
			p.Default = defaultOf(f.value)
		}
		if f.required {
			s.Required = append(s.Required, f.key)
		}
		s.Properties[f.key] = p
	}
	return s, nil
}

// defaultOf returns a value as it would be written, nil where it is none.
func defaultOf(v reflect.Value) any {
	_, says := reflect.TypeAssert[Bitrate](v) // 0 has a name
	if isMapping(v) || v.Kind() == reflect.Slice || v.Kind() == reflect.Struct || v.IsZero() && v.Kind() != reflect.Bool && !says {
		return nil
	}
	if s, ok := reflect.TypeAssert[fmt.Stringer](v); ok {
		return s.String()
	}
	return v.Interface()
}
