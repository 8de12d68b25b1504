// Package scale makes planes of 8-bit samples smaller, by averaging the area that
// a sample of the result covers, as OpenCV's INTER_AREA does. It is here because
// that took longer than the detector's network does.
//
// Columns are summed up first, over the rows that a row of the result covers, and
// then along the row. Where both sides shrink by whole numbers this is done in
// integers, else with weights. All memory is Go's; C gets it for the length of a
// call.
package scale
