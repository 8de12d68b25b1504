// Package scale shrinks planes of 8-bit samples by averaging the area that each
// sample of the result covers, like OpenCV's INTER_AREA. It exists because that took
// longer than the detector's network.
//
// It sums up columns first, over the rows that a row of the result covers, and then
// along the row. If both sides shrink by whole numbers, it uses integers, else
// weights. All memory is Go's; C gets it for the duration of a call.
package scale
