package soap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a document.
const (
	// MaxBytes bounds a document. The profiles of a camera with 16 sensors need about
	// 200 kB.
	MaxBytes = 1 << 20
	// maxDepth bounds its nesting, and maxElements its elements.
	maxDepth    = 64
	maxElements = 20_000
)

// ErrMalformed is wrapped by all errors of Decode that concern the document.
var ErrMalformed = errors.New("malformed XML")

// Decode checks a document against the limits and decodes it into v, as
// xml.Unmarshal does.
func Decode(data []byte, v any) error {
	if len(data) > MaxBytes {
		return fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxBytes)
	}
	if err := check(data); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := newDecoder(data).Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// check scans the document, so that decoding it, which recurses, stays within the
// limits.
func check(data []byte) error {
	d, depth, elements := newDecoder(data), 0, 0
	for {
		// Raw: the decoder matches the tags.
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.Directive:
			return errors.New("it contains a document type")
		case xml.StartElement:
			depth++
			elements += 1 + len(t.Attr)
		case xml.EndElement:
			depth--
		}
		if depth > maxDepth || elements > maxElements {
			return fmt.Errorf("more than %d levels or %d elements", maxDepth, maxElements)
		}
	}
}

func newDecoder(data []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") || strings.EqualFold(charset, "utf8") {
			return r, nil
		}
		return nil, errors.New("its encoding is not UTF-8")
	}
	return d
}
