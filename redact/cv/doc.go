// Package cv is the only place that calls OpenCV. It goes through gocv, checks
// every argument before C++ sees it, and owns every matrix: what OpenCV does
// not like ends the process, because gocv turns no C++ exception into an error.
//
// Loading and running a network are the exception: gocv v0.31's Net ends the
// process on a file that does not parse, and its ForwardLayers frees neither
// the names nor the list of results, about half a kilobyte a call, which is a
// gigabyte a day for one camera. Both are done by a few lines of C++ next to
// this file, which turn exceptions into errors.
package cv
