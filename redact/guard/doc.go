// Package guard names the rules that keep a picture from being shown that should
// not be, one constant each. All are true. A build tag unguarded_NAME takes one
// out, for one purpose: to show that the marker oracle in package pipeline
// notices when it is missing (.ci/guards does that for each). The redactor's
// program refuses to start when any was taken out, so such a build is of no
// other use.
package guard
