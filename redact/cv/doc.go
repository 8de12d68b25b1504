// Package cv is the only place that calls OpenCV in production. It goes through
// gocv, checks every argument before C++ sees it, and owns every matrix: an invalid
// argument ends the process, because gocv does not turn C++ exceptions into errors.
//
// Loading and running a network are the exception: gocv v0.31's Net ends the
// process on a file that does not parse, and its ForwardLayers frees neither
// the names nor the list of results, about half a kilobyte a call, which is a
// gigabyte a day for one camera. Both are done by a few lines of C++ next to
// this file, which turn exceptions into errors.
package cv
