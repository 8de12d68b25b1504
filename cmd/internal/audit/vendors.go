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

// Vendor is a vendor whose cameras are flagged.
type Vendor struct {
	// Name is its name in the output.
	Name string
	// Why is the reason for the flag.
	Why string
	// Names are its brand names. They match whole words, in any case.
	Names []string
	// Signs match texts that are typical of its devices without naming it, such as
	// models and realms. A sign is weaker than a name.
	Signs []*regexp.Regexp
}

// DefaultVendors returns the vendors that governments have banned from sensitive
// sites (United States: NDAA 2019, section 889; the first two also by the United
// Kingdom's instruction of November 2022 and Australia's removal in 2023), with the
// brands under which their devices are commonly sold.
func DefaultVendors() []Vendor {
	const us = "banned from sensitive sites by the United States (NDAA 2019, section 889)"
	const more = us + ", the United Kingdom and Australia"
	return []Vendor{
		{
			Name: "Hikvision", Why: more,
			Names: []string{"hikvision", "ezviz", "hilook", "hiwatch", "hikmicro", "hikrobot", "annke", "lt security", "laview"},
			// Realms, models and web servers. LTS is too short to match as a name.
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

// Vendors returns the vendors of a site's list. The name of a default vendor includes
// all its brands; any other name is matched as it is.
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
		out = append(out, Vendor{Name: name, Why: "on the site's list", Names: []string{name}})
	}
	return out
}

// MaxVendors and MaxVendorName bound a site's list.
const (
	MaxVendors    = 1024
	MaxVendorName = 64 // bytes
)

// ReadVendors reads a list with one name per line; "#" starts a comment.
func ReadVendors(r io.Reader) ([]string, error) {
	var out []string
	in := bufio.NewScanner(io.LimitReader(r, MaxVendors*MaxVendorName))
	for n := 1; in.Scan(); n++ {
		name, _, _ := strings.Cut(in.Text(), "#")
		if name = strings.Join(strings.Fields(name), " "); name == "" {
			continue
		}
		if transport.Plain(name, MaxVendorName) != name || !strings.ContainsFunc(name, unicode.IsLetter) {
			return nil, fmt.Errorf("line %d: invalid vendor name: must have a letter and at most %d bytes", n, MaxVendorName)
		}
		out = append(out, name)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("invalid list of vendors: must have one name per line: %w", err)
	}
	if len(out) > MaxVendors {
		return nil, fmt.Errorf("more than %d vendors", MaxVendors)
	}
	return out, nil
}

// Flag marks a camera of a flagged vendor, with the evidence.
type Flag struct {
	Vendor string `json:"vendor"`
	Why    string `json:"why"`
	// Evidence is what identified the vendor, such as "MAC: Hangzhou Hikvision …".
	Evidence string `json:"evidence"`
	// Sign is set if the evidence is typical of the vendor but does not name it.
	Sign bool `json:"sign,omitempty"`
}

// fact is a text from a camera that may name its vendor.
type fact struct{ what, text string }

// match flags a camera by its facts, by names first.
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

// hasWords reports whether a text contains words as whole words.
func hasWords(text, words string) bool {
	t, w := plainWords(text), plainWords(words)
	return w != "" && strings.Contains(" "+t+" ", " "+w+" ")
}

// plainWords returns the words of a text in lower case, separated by single spaces.
func plainWords(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ")
}
