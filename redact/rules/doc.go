// Package rules names the safety rules, which keep pictures from being shown that must
// not be. They are constants, and all are in force. A program built with the tag
// removable_rules leaves out those named in SCRIM_REMOVE_RULES. This serves one purpose:
// to show that the marker oracle in package pipeline notices when a rule is missing.
// .ci/rules does that for each. scrim-redactor refuses to start if built that way.
package rules
