// Package measure scores obscured regions against the true positions of faces.
//
// `scrim redact --report` writes a report: one JSON object per frame,
//
//	{"file","frame","pts","width","height","blind","regions":[
//	  {"x","y","w","h","face":{"x","y","w","h"},"score","source","track"}]}
//
// where x, y, w, h of a region are a rectangle that was obscured completely, and face is
// the detected box. A truth is either written by `scrim-camera --truth`, one object per
// frame,
//
//	{"frame","pts","width","height","faces":[
//	  {"person","x","y","w","h","visible","yaw","roll"}],
//	 "bodies":[{"person","x","y","w","h"}],"clear"}
//
// or a file of labelled stills, {"images":[{"file","faces":[{"x","y","w","h",
// "ignore"}]}]}. Sizes are in pixels, angles in degrees, pts in seconds. All times in
// results are those of the truth.
//
// Frames are matched by their number, which counts from 0 in both files. If one file
// starts at frame 1 and the other at 0, it is refused, because every frame would be
// scored against its neighbour; Options.ReportFirst and TruthFirst override that. A frame
// is also refused if its pts in report and truth differ by more than half a frame: it is
// another picture with the same number. If the report lacks a frame of the truth, nothing
// counts as obscured in it.
//
// In a live run, ScoreLive makes the report from the published units. The lines of the
// truth then have the time of capture as well,
//
//	{"frame","pts","captured","width","height","faces":[…]}
//
// in Unix nanoseconds. Pictures carry it from the camera's sender reports (RFC 3550,
// section 6.4.1) to the viewer, with the precision of a 90 kHz tick, and are matched by
// it. A frame that was not published exposes nobody, and a frame under a slate is fully
// obscured.
//
// Definitions:
//
//   - A face is covered if at least CoveredShare of its box within the picture is in the
//     union of the regions. Otherwise it is exposed. Unions are exact.
//   - A run is a number of frames in which a person is exposed without being covered or
//     out of view in between.
//   - A face is found if a reported face box has an IoU of at least 0.5 with it; each box
//     finds at most one face.
//   - False area is the area in regions other than zones that is not in a true face,
//     padded by PadSide to the left, right and bottom and by PadTop to the top. Ignored
//     faces do not make area false.
//   - The headline has the faces that pass Options.Filter; all others are scored as hard,
//     which is WIDER FACE's name for its hardest subset. Buckets by size have the faces
//     that pass the filter except for size, buckets by yaw those that pass it except for
//     yaw.
//   - With CoverMotion, only people who have moved since the background was learned are in
//     the headline. It was learned when the first frame is not obscured as a whole by a
//     region of source "moving". Somebody has moved who was not there then, or is elsewhere
//     by more than half of the size of trunk or face.
//   - A frame is blind if the report says so: blind has the reason. It is falsely blind if
//     the truth says that the picture is clear.
//   - The size of a face is the longer side of its box.
//
// Promises: nothing here keeps state, so all functions may be called from many goroutines.
// Arguments are not changed, and a Result is the caller's. The API is not stable yet.
package measure
