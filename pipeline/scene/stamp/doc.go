// Package stamp draws a block code that says which frame a picture is and when it
// was captured, so that what arrives at a viewer can be matched with what a camera
// sent. Package stamptest reads it.
//
// # Layout
//
// One cell is a square with a side of s = width/128 pixels, where width is that
// of the picture and s need not be whole: a picture that is scaled keeps its
// layout. The code is 32 columns by 4 rows of cells, with its upper left corner
// at (s, s); around it is a quiet margin of one cell, black:
//
//	row 0     frame number, uint32
//	row 1, 2  capture time, int64, nanoseconds since 1970-01-01 UTC; high half first
//	row 3     CRC-32 (IEEE 802.3, as in zlib) of the 12 bytes above, big-endian
//
// The most significant bit is on the left. White (luma 235) is 1, black (luma
// 16) is 0; chroma is 128. A reader takes the mean of the pixels in the middle
// of each cell and compares it with the middle of the range. In JavaScript,
// with d the data of a canvas:
//
//	const s = width / 128, words = [0, 0, 0, 0];
//	for (let row = 0; row < 4; row++) for (let col = 0; col < 32; col++) {
//	  const span = c => { const lo = Math.round((c + 1.25) * s); return [lo, Math.max(lo + 1, Math.round((c + 1.75) * s))]; };
//	  const [x0, x1] = span(col), [y0, y1] = span(row);
//	  let sum = 0;
//	  for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) sum += d[4 * (y * width + x) + 1];
//	  words[row] = (words[row] << 1 | (sum / ((x1 - x0) * (y1 - y0)) >= 128)) >>> 0;
//	}
//	let crc = ~0;
//	for (let i = 0; i < 12; i++) {
//	  crc ^= words[i >> 2] >>> (24 - 8 * (i & 3)) & 255;
//	  for (let k = 0; k < 8; k++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
//	}
//	const valid = (~crc >>> 0) === words[3], nanoseconds = BigInt.asIntN(64, BigInt(words[1]) << 32n | BigInt(words[2]));
package stamp
