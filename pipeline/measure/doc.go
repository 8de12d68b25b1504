// Package measure scores what was obscured against where the faces truly were.
//
// A report is what `scrim redact --report` writes: one JSON object per frame,
//
//	{"file","frame","pts","width","height","regions":[
//	  {"x","y","w","h","face":{"x","y","w","h"},"score","source","track"}]}
//
// where x, y, w, h of a region are a rectangle all of which was obscured, and
// face is the box as found. The truth is either what `scrim-camera --truth`
// writes, one object per frame,
//
//	{"frame","pts","width","height","faces":[
//	  {"person","x","y","w","h","visible","yaw","roll"}]}
//
// or a file of labelled stills, {"images":[{"file","faces":[{"x","y","w","h",
// "ignore"}]}]}. Sizes are pixels, angles degrees, pts seconds; the
// time of everything that is scored is that of the truth.
//
// Frames are matched by their number, which counts from 0 in both. A file that
// has the frames 1 … and no frame 0 while the other one begins at 0 is refused,
// since every box would be scored against its neighbour's: who knows better says
// so with Options.ReportFirst or TruthFirst. So is a frame whose pts in the
// report is more than half a frame from that in the truth: it is another
// picture under the same number. A frame of the truth for which the
// report has no line counts as one in which nothing was obscured.
//
// In a live run, of which ScoreLive makes the report from what was published, the
// lines of the truth have the time of capture as well,
//
//	{"frame","pts","captured","width","height","faces":[…]}
//
// in Unix nanoseconds; pictures carry it from the camera's sender reports (RFC
// 3550, section 6.4.1) all the way to the viewer, to within a tick of 90 kHz, and
// are matched by it. There a frame that was not published exposes nobody, and one
// under a slate is obscured whole.
//
// What counts:
//
//   - A face is covered when at least CoveredShare of its box, as far as that
//     lies within the picture, is in the union of the regions. Otherwise it is
//     exposed. Unions are exact.
//   - A run is a number of frames in which one person is exposed without being
//     covered or out of view in between.
//   - A face is found when a reported face box has an IoU of at least 0.5 with
//     it; each box finds one face at most.
//   - False area is what is in a region, zones apart, and not in any true face
//     padded by PadSide on the left, right and below and PadTop above. Faces to
//     ignore make no area false.
//   - The headline takes the faces that pass Options.Filter. The others are
//     scored apart as hard. Buckets by size take the faces that pass the filter
//     for all but their size, buckets by yaw those that pass it for all but
//     their yaw.
//   - The size of a face is the longer side of its box.
package measure
