// Package scene draws people who walk about a room, and says exactly where
// their faces are: the camera of the end-to-end test, which can therefore
// measure what other tests can only estimate. No picture of a real person is
// involved.
//
// A frame is a function of the options and the frame's number alone. People
// come in over the left and right edges, walk near and far, stop, look about
// and at the camera, cross in front of one another and behind a column, turn
// away and leave. Heads are small three-dimensional models, lit and seen from
// the yaw they have in the frame, because detectors that were trained on
// photographs do not take flat drawings for faces; bodies are flat shapes.
// Faces, with a margin of StampMargin of the box, stay clear of the stamp that
// package stamp draws into the upper left corner.
//
// All sizes are in pixels of the picture, angles in degrees, colours BT.601
// with limited range.
package scene
