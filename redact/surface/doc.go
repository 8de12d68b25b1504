// Package surface paints the smooth surface that package obscure covers faces
// with, by vector instructions: it is what most of the time of obscuring went
// into. It gives the same samples, bit for bit, as obscure's own Go code.
package surface
