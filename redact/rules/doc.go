// Package rules names the rules that keep a picture from being shown that should
// not be. All are in force, and are constants. A program that was built with the tag
// removable_rules leaves out those that SCRIM_REMOVE_RULES names, for one purpose: to show that
// the marker oracle in package pipeline notices when one is missing (.ci/rules does
// that for each). The redactor's program refuses to start when it was built so.
package rules
