package decode

import (
	"bytes"
	"encoding/binary"

	"scrim/redact/rotate"
)

// What of Exif is read: the orientation, since a picture is redacted the way it
// is looked at. All else is dropped.
const (
	exifOrientationTag = 0x0112
	exifShort          = 3
	jpegMarker         = 0xff
	jpegSOI            = 0xd8
	jpegAPP1           = 0xe1
	jpegSOS            = 0xda
	pngHeaderBytes     = 8
)

var (
	exifPrefix = []byte("Exif\x00\x00")
	pngHeader  = []byte("\x89PNG\r\n\x1a\n")
)

// imageOrientation returns the orientation that a JPEG or PNG file asks for;
// none where it does not, or where that cannot be read.
func imageOrientation(data []byte) rotate.Orientation {
	if bytes.HasPrefix(data, pngHeader) {
		return tiffOrientation(pngExif(data[pngHeaderBytes:]))
	}
	return tiffOrientation(jpegExif(data))
}

// jpegExif returns the TIFF structure in a JPEG's APP1 segment, or nil.
func jpegExif(data []byte) []byte {
	if len(data) < 2 || data[0] != jpegMarker || data[1] != jpegSOI {
		return nil
	}
	for data = data[2:]; len(data) >= 4 && data[0] == jpegMarker; {
		if data[1] == jpegMarker { // fill byte
			data = data[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(data[2:]))
		if data[1] == jpegSOS || n < 2 || len(data) < 2+n {
			return nil
		}
		segment := data[4 : 2+n]
		if data[1] == jpegAPP1 && bytes.HasPrefix(segment, exifPrefix) {
			return segment[len(exifPrefix):]
		}
		data = data[2+n:]
	}
	return nil
}

// pngExif returns the content of a PNG's eXIf chunk, or nil. data begins at the
// first chunk: length, type, content, checksum.
func pngExif(data []byte) []byte {
	for len(data) >= 12 {
		n := binary.BigEndian.Uint32(data)
		if uint64(n)+12 > uint64(len(data)) {
			return nil
		}
		if string(data[4:8]) == "eXIf" {
			return data[8 : 8+n]
		}
		data = data[12+n:]
	}
	return nil
}

// tiffOrientation finds the orientation in the first directory of a TIFF
// structure.
func tiffOrientation(tiff []byte) rotate.Orientation {
	if len(tiff) < 8 {
		return rotate.Orientation{}
	}
	var order binary.ByteOrder
	switch string(tiff[:2]) {
	case "II":
		order = binary.LittleEndian
	case "MM":
		order = binary.BigEndian
	default:
		return rotate.Orientation{}
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return rotate.Orientation{}
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		const entryBytes = 12 // tag, type, count, value
		if len(entries) < entryBytes {
			break
		}
		if order.Uint16(entries) == exifOrientationTag && order.Uint16(entries[2:]) == exifShort {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v < len(exifOrientations) {
				return exifOrientations[v]
			}
			break
		}
		entries = entries[entryBytes:]
	}
	return rotate.Orientation{}
}
