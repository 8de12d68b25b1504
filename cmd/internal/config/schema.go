package config

import (
	"fmt"
	"net/netip"
	"reflect"

	"scrim/redact/zone"
)

// Schema is a JSON Schema (draft-07, which editors support best).
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
	// AdditionalProperties is false if Properties are listed.
	AdditionalProperties *bool `json:"additionalProperties,omitempty"`
	Default              any   `json:"default,omitempty"`
}

// dialect identifies draft-07.
const dialect = "http://json-schema.org/draft-07/schema#"

// FileSchema returns the schema of the file. It is derived from the types that the
// decoder fills; their comments are the descriptions. Rules that involve several keys
// are left to `scrim config check`.
func FileSchema() (*Schema, error) {
	comments, err := readComments()
	if err != nil {
		return nil, err
	}
	cfg := reflect.ValueOf(Default()).Elem()
	s, err := schemaOf(cfg, comments, true)
	if err != nil {
		return nil, err
	}
	s.Dialect, s.Title = dialect, "Scrim"
	s.Description = "Configuration of scrim serve, worker and gateway."
	return s, nil
}

// maxItems bounds the lists of some types.
var maxItems = map[reflect.Type]int{
	reflect.TypeFor[[]Camera](): MaxCameras,
	reflect.TypeFor[[]Zone]():   zone.MaxZones,
}

// schemaOf returns the schema of a value; withDefaults adds the value as the default.
func schemaOf(v reflect.Value, doc comments, withDefaults bool) (*Schema, error) {
	t := v.Type()
	switch {
	case t == reflect.TypeFor[netip.Addr]():
		return &Schema{Type: "string"}, nil
	case isText(v):
		known, ok := reflect.TypeAssert[interface{ schema() *Schema }](v)
		if !ok {
			return nil, fmt.Errorf("schema: no schema for type %s", t)
		}
		return known.schema(), nil
	case t.Kind() == reflect.Bool:
		return &Schema{Type: "boolean"}, nil
	case t.Kind() == reflect.String:
		return &Schema{Type: "string"}, nil
	case t.Kind() == reflect.Slice:
		items, err := schemaOf(reflect.New(t.Elem()).Elem(), doc, false)
		return &Schema{Type: "array", Items: items, MaxItems: maxItems[t]}, err
	}
	s := &Schema{Type: "object", Properties: map[string]*Schema{}, AdditionalProperties: new(bool)}
	for _, f := range fieldsOf(v) {
		p, err := schemaOf(f.value, doc, withDefaults)
		if err != nil {
			return nil, err
		}
		p.Description = doc.of(f)
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

// defaultOf returns a default as it is written in the file, or nil.
func defaultOf(v reflect.Value) any {
	_, named := reflect.TypeAssert[Bitrate](v) // 0 is written auto
	if isMapping(v) || v.Kind() == reflect.Slice || v.Kind() == reflect.Struct || v.IsZero() && v.Kind() != reflect.Bool && !named {
		return nil
	}
	if s, ok := reflect.TypeAssert[fmt.Stringer](v); ok {
		return s.String()
	}
	return v.Interface()
}
