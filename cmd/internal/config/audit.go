package config

import (
	"fmt"
	"strings"
	"unicode"

	"scrim/transport"
)

// Audit holds the settings of `scrim audit`.
type Audit struct {
	// FlagVendors are the vendors whose cameras are flagged. Hikvision, Dahua, Huawei,
	// ZTE and Hytera include their other brands; any other name is matched as it is.
	// Default: these five.
	FlagVendors []VendorName `yaml:"flag_vendors"`
}

// VendorName is a vendor's name of up to 64 bytes.
type VendorName string

// UnmarshalText accepts a name with a letter in it.
func (v *VendorName) UnmarshalText(text []byte) error {
	s := strings.Join(strings.Fields(string(text)), " ")
	if transport.Plain(s, 64) != s || !strings.ContainsFunc(s, unicode.IsLetter) {
		return fmt.Errorf("invalid vendor name %q: write it as its devices do, such as Dahua", clip(text))
	}
	*v = VendorName(s)
	return nil
}
