package ipc

import (
	"image"

	"scrim/redact/geom"
)

// MaxRegions bounds the regions of a picture's record, which then fits a message.
const MaxRegions = 1280

// leastParts is by how many rectangles a shape is listed at least, while there is room.
const leastParts = 8

// Regions lists what is obscured in a picture of these bounds as rectangles; never null.
// Shapes are listed by up to most rectangles within them each, and by about so many
// together. Regions beyond MaxRegions are left out.
func Regions(regions []geom.Region, bounds image.Rectangle, most int) []geom.RegionRecord {
	records := make([]geom.RegionRecord, 0, len(regions))
	n := max(len(regions), 1)
	each := max(most/n, min(leastParts, MaxRegions/n))
	for i, r := range regions {
		later := len(regions) - i - 1 // which need one each
		records = r.AppendParts(records, bounds, min(each, max(MaxRegions-len(records)-later, 1)))
		if len(records) == MaxRegions {
			break
		}
	}
	return records
}
