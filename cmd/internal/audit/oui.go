package audit

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"scrim/transport"
)

// DefaultOUI is the folder of Debian's package ieee-data.
const DefaultOUI = "/usr/share/ieee-data"

// ouiFiles are the IEEE's registries in that folder, the longest prefix first: the
// 24-bit blocks that contain 36- and 28-bit blocks belong to the IEEE itself.
var ouiFiles = []string{"oui36", "mam", "oui"}

// maxOUILine bounds a line of a list.
const maxOUILine = 64 << 10

// OUI maps MAC addresses to organisations, by the IEEE's public lists.
type OUI struct {
	wanted map[string]bool   // prefixes of 6, 7 and 9 digits
	found  map[string]string // organisations by prefix
}

// ReadOUI reads a list, oui.csv or oui.txt, or a folder with such lists. It keeps only
// the organisations of macs.
func ReadOUI(path string, macs []net.HardwareAddr) (*OUI, error) {
	o := &OUI{wanted: map[string]bool{}, found: map[string]string{}}
	for _, m := range macs {
		for _, n := range []int{6, 7, 9} {
			if d := digits(m); len(d) >= n {
				o.wanted[d[:n]] = true
			}
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return o, fmt.Errorf("no list of MAC vendors at %s; install ieee-data (Debian), or pass a list with --oui", path)
	}
	if !info.IsDir() {
		return o, o.file(path)
	}
	read := false
	for _, name := range ouiFiles {
		for _, ext := range []string{".csv", ".txt"} {
			err := o.file(path + "/" + name + ext)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return o, err
			}
			read = true
			break
		}
	}
	if !read {
		return o, fmt.Errorf("no list of MAC vendors in %s; install ieee-data (Debian), or pass a list with --oui", path)
	}
	return o, nil
}

func (o *OUI) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := o.read(f); err != nil {
		return fmt.Errorf("%s is not a list of MAC vendors of the IEEE: %w", path, err)
	}
	return nil
}

// textRE matches a block in oui.txt.
var textRE = regexp.MustCompile(`^([0-9A-F]{6})\s+\(base 16\)\s+(.+)$`)

// read reads a list in either format.
func (o *OUI) read(r io.Reader) error {
	b := bufio.NewReaderSize(r, maxOUILine)
	head, err := b.Peek(9)
	if err != nil {
		return errors.New("empty file")
	}
	if string(head) == "Registry," {
		return o.readCSV(b)
	}
	in := bufio.NewScanner(b)
	in.Buffer(nil, maxOUILine)
	blocks := 0
	for in.Scan() {
		if m := textRE.FindStringSubmatch(strings.TrimSpace(in.Text())); m != nil {
			blocks++
			o.add(m[1], m[2])
		}
	}
	if in.Err() == nil && blocks == 0 {
		return errors.New("no blocks found")
	}
	return in.Err()
}

func (o *OUI) readCSV(r io.Reader) error {
	in := csv.NewReader(r)
	in.ReuseRecord, in.FieldsPerRecord, in.LazyQuotes = true, -1, true
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(rec) >= 3 {
			o.add(strings.ToUpper(rec[1]), rec[2])
		}
	}
}

func (o *OUI) add(prefix, organisation string) {
	if o.wanted[prefix] && o.found[prefix] == "" {
		o.found[strings.Clone(prefix)] = plain(organisation)
	}
}

// Organisation returns the owner of an address, or "" if it is unknown.
func (o *OUI) Organisation(m net.HardwareAddr) string {
	d := digits(m)
	// The 24-bit block of a longer prefix belongs to the IEEE.
	for _, n := range []int{9, 7, 6} {
		if len(d) >= n && o.found[d[:n]] != "" {
			return o.found[d[:n]]
		}
	}
	return ""
}

// digits formats an address as the lists do.
func digits(m net.HardwareAddr) string { return strings.ToUpper(fmt.Sprintf("%x", []byte(m))) }

// private reports whether an address is locally administered (IEEE 802, bit 41).
func private(m net.HardwareAddr) bool { return len(m) > 0 && m[0]&2 != 0 }

// maxText bounds a text from outside, in bytes.
const maxText = 256

// plain makes a text from outside fit for one line.
func plain(s string) string { return transport.Plain(s, maxText) }
