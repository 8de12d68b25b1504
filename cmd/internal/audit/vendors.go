package audit

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"scrim/transport"
)

// Vendor is one whose cameras are flagged.
type Vendor struct {
	// Name is what it is called in the output.
	Name string
	// Why it is flagged.
	Why string
	// Names are those under which it and its lines are sold; they match whole
	// words, in any case.
	Names []string
	// Signs are regular expressions for what its devices say of themselves without
	// naming it: models and realms. A sign is weaker than a name.
	Signs []*regexp.Regexp
}

// DefaultVendors are those that governments have ordered out of sensitive sites
// (United States: NDAA 2019, section 889; for the first two also the United
// Kingdom's instruction of November 2022, and Australia's removal in 2023), with
// the lines that commonly are their devices under another name.
func DefaultVendors() []Vendor {
	const us = "ordered out of sensitive sites by the United States (NDAA 2019, section 889)"
	const more = us + ", and in the United Kingdom and Australia"
	return []Vendor{
		{
			Name: "Hikvision", Why: more,
			Names: []string{"hikvision", "ezviz", "hilook", "hiwatch", "hikmicro", "hikrobot", "annke", "lt security", "laview"},
			// Its realms, models and web servers; LTS alone is too short for a name.
			Signs: compile(`(?i)\bIP Camera\([0-9A-Z]{4,}\)`, `\bi?DS-[279][A-Z0-9]{2,}`, `(?i)\b(DNVRS|App)-webs\b`, `^LTS\b`),
		},
		{
			Name: "Dahua", Why: more,
			Names: []string{"dahua", "imou", "lechange", "amcrest", "lorex", "empiretech", "ic realtime", "q-see"},
			Signs: compile(`\bLogin to [0-9A-Za-z]{6,}`, `\b(DH-)?IPC-H(FW|DW|DBW|DPW|D|F)[0-9A-Z-]{2,}`),
		},
		{Name: "Huawei", Why: us, Names: []string{"huawei", "holowits"}},
		{Name: "ZTE", Why: us, Names: []string{"zte"}},
		{Name: "Hytera", Why: us, Names: []string{"hytera"}},
	}
}

func compile(patterns ...string) (out []*regexp.Regexp) {
	for _, p := range patterns {
		out = append(out, regexp.MustCompile(p))
	}
	return out
}

// Vendors turns names that a site lists into vendors: one of the defaults by its
// name brings all its lines with it, and any other matches as it is.
func Vendors(names []string) []Vendor {
	var out []Vendor
next:
	for _, name := range names {
		for _, v := range DefaultVendors() {
			if strings.EqualFold(v.Name, name) {
				out = append(out, v)
				continue next
			}
		}
		out = append(out, Vendor{Name: name, Why: "on the site's own list", Names: []string{name}})
	}
	return out
}

// MaxVendors and MaxVendorName bound a site's list.
const (
	MaxVendors    = 1024
	MaxVendorName = 64 // bytes
)

// ReadVendors reads a list: one name a line, "#" begins a comment.
func ReadVendors(r io.Reader) ([]string, error) {
	var out []string
	in := bufio.NewScanner(io.LimitReader(r, MaxVendors*MaxVendorName))
	for n := 1; in.Scan(); n++ {
		name, _, _ := strings.Cut(in.Text(), "#")
		if name = strings.Join(strings.Fields(name), " "); name == "" {
			continue
		}
		if transport.Plain(name, MaxVendorName) != name || !strings.ContainsFunc(name, unicode.IsLetter) {
			return nil, fmt.Errorf("line %d: this is no name of a vendor; write one a line, of up to %d bytes", n, MaxVendorName)
		}
		out = append(out, name)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("no list of vendors, one a line: %w", err)
	}
	if len(out) > MaxVendors {
		return nil, fmt.Errorf("more than %d vendors", MaxVendors)
	}
	return out, nil
}

// Flag says that a camera is of a flagged vendor, and what it was told by.
type Flag struct {
	Vendor string `json:"vendor"`
	Why    string `json:"why"`
	// Evidence is what gave it away, such as "MAC: Hangzhou Hikvision …".
	Evidence string `json:"evidence"`
	// Sign is set when nothing names the vendor, and only something looks like it.
	Sign bool `json:"sign,omitempty"`
}

// fact is something known of a camera that may name its vendor.
type fact struct{ what, text string }

// match flags a camera by what is known of it: by names first.
func match(vendors []Vendor, facts []fact) *Flag {
	for _, v := range vendors {
		for _, f := range facts {
			for _, name := range v.Names {
				if hasWords(f.text, name) {
					return &Flag{Vendor: v.Name, Why: v.Why, Evidence: f.what + ": " + f.text}
				}
			}
		}
	}
	for _, v := range vendors {
		for _, f := range facts {
			for _, re := range v.Signs {
				if re.MatchString(f.text) {
					return &Flag{Vendor: v.Name, Why: v.Why, Evidence: f.what + ": " + f.text, Sign: true}
				}
			}
		}
	}
	return nil
}

// hasWords reports whether words stand in a text, as whole words.
func hasWords(text, words string) bool {
	t, w := plainWords(text), plainWords(words)
	return w != "" && strings.Contains(" "+t+" ", " "+w+" ")
}

// plainWords is a text's words in small letters, with one space between.
func plainWords(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
