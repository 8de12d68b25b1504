// Package mend makes a detector's copy of a picture fit to be looked at: it stretches
// a poor range of brightness, and smooths strong noise. What a viewer sees is never
// mended. A Recipe says what is done; good pictures have the zero Recipe, and are left
// as they are.
//
// Noise is smoothed by a Gaussian as wide as the noise needs. It was better than a
// median and than Wiener's filter in every condition, and takes a fraction of the
// time.
package mend
