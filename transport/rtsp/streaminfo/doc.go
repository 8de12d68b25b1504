// Package streaminfo says what a camera's video is like by looking at its RTP
// packets: codec profile, size, real picture rate, distance of key frames, bit
// rate, slices, order, loss and clock. It decodes nothing and keeps nothing of a
// picture; of each NAL unit it reads the first bytes (ITU-T H.264, H.265; RFC
// 6184, 7798, 2435).
package streaminfo
