// Package geom is the geometry that all parts share: the box of a face, the
// region that is obscured for it, and the shape of a region. It is pure
// arithmetic and imports nothing of this module, so any package may import it.
package geom
