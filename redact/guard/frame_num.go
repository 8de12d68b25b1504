//go:build !unguarded_frame_num

package guard

// FrameNum is the rule: pictures that were lost before RTP, as frame_num tells, shut the gate.
const FrameNum = true
