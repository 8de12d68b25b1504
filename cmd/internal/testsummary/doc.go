// Command testsummary makes the output of `go test -json` readable, and counts the
// tests of several runs. It is part of `make test`:
//
//	go test -json ./... 2>&1 | testsummary results     # prints as go test does, appends to results
//	testsummary -total results                         # why tests were skipped, which failed, the counts
//
// The file of results has one result a line, in JSON. Steps other than `go test`
// append their own.
package main
