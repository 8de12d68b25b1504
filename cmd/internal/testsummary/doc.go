// Command testsummary makes the output of `go test -json` readable, and counts the
// tests of several runs. It is part of `make test`:
//
//	go test -json ./... 2>&1 | testsummary results     # prints like go test, appends to results
//	testsummary -total results                         # skip reasons, failures and counts
//
// The results file has one result per line, in JSON. Steps other than `go test` append
// their own.
package main
