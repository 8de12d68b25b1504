package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Audit is for `scrim audit`.
type Audit struct {
	// FlagVendors are the makers whose cameras are flagged: Hikvision, Dahua,
	// Huawei, ZTE and Hytera stand for all their lines, and other names for
	// themselves. Default: these five.
	FlagVendors []VendorName `yaml:"flag_vendors"`
}

// VendorName is a maker's name, of up to 64 bytes.
type VendorName string

// UnmarshalText takes a name with a letter in it.
func (v *VendorName) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	if len(s) > 64 || strings.ContainsFunc(s, unicode.IsControl) || !strings.ContainsFunc(s, unicode.IsLetter) {
		return fmt.Errorf("%q is no name of a vendor; write one as its devices spell it, such as Dahua", clip(text))
	}
	*v = VendorName(s)
	return nil
}
