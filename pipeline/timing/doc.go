// Package timing collects what pictures cost, stage by stage, in HDR histograms
// (Gil Tene, hdrhistogram.org), from the inspection records that the redactor
// sends with every picture. It runs in the worker, outside the redactor.
package timing
