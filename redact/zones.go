package redact

import (
	"scrim/redact/geom"
	"scrim/redact/yuv"
	"scrim/redact/zone"
)

// zones are the zones of a camera at the size of its last picture.
type zones struct {
	set           *zone.Set
	width, height int
	regions       []geom.Region
}

// of returns the zones at the size of im.
func (z *zones) of(list []zone.Zone, im *yuv.Image) *zone.Set {
	if z.set == nil || z.width != im.Width || z.height != im.Height {
		z.set, z.width, z.height = zone.Compile(list, im.Width, im.Height), im.Width, im.Height
	}
	return z.set
}

// mask returns regions with the masks for im added. The result is valid until the next
// call; regions, which may belong to the tracker, is not changed.
func (z *zones) mask(list []zone.Zone, im *yuv.Image, regions []geom.Region) []geom.Region {
	masks := z.of(list, im).Masks()
	if len(masks) == 0 {
		return regions
	}
	z.regions = append(append(z.regions[:0], regions...), masks...)
	return z.regions
}
