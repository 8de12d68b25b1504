// Package timing collects how long the stages take for each picture, in HDR histograms
// (Gil Tene, hdrhistogram.org). The times come from the inspection records that the
// redactor sends with every picture. It runs in the worker.
package timing
