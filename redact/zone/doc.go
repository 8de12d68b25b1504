// Package zone holds what an operator says about parts of a camera's picture:
// what is always obscured, where small faces are expected, and where
// nothing needs finding. Zones are polygons in fractions of the frame, so that
// they hold for every picture size; Compile makes them pixels, once per size.
package zone
