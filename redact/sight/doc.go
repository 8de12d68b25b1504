// Package sight finds out what the detector can see in a camera's pictures, and says when
// that is not enough.
//
// In a sight test, hard faces are painted into copies of small parts of the current
// picture, in its own light, contrast, colours, blur and noise, and shown to the
// detector. The sight is the smallest height from which on at least 95 % of them are found.
// A table that was fitted on photographs gives a size by the measured condition; the worse
// of both counts. Text, lamps and logos count neither in the condition nor in the light of
// a painted face. Between two tests the condition, parts and structure of every picture are
// compared with those in which the last tests passed. A picture that leaves them is not
// proved, and is tested at once.
//
// docs/design/sight.md has the rules, the numbers and the evidence.
package sight
