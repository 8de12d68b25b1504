package camera

import (
	"time"

	"scrim/pipeline/ipc"
)

// All deadlines of a camera are in this file. The machine checks them at every tick; on a
// busy machine, ticks are up to lateTick apart.
//
// A fault ends in a slate within half a second (deadlines_test.go checks the sums, and a
// property test the promise):
//
//	fault                                   noticed by        slate after, at most
//	process ended, or could not be started  its end           0
//	protocol violated, pipe broken          the message       0
//	unit turned out to be partial           the next unit     0
//	process stands still                    no heartbeat      slateSilence + lateTick        = 500 ms
//	encoder hangs                           the heartbeat     slateSilence + lateTick        = 500 ms
//	camera sends nothing                    the redactor      its own slate, see package pipeline
//
// While this program itself stands still for longer than standstill, such as on a machine
// that sleeps, it can show nothing. That time does not count as the camera's silence, and
// not as the redactor's, once between two messages.
const (
	// tickInterval is the time between ticks, lateTick the same when all processors are
	// busy. Ticks that are standstill apart mean that this program had no processor.
	tickInterval = ipc.HeartbeatInterval / 4
	lateTick     = 5 * tickInterval
	standstill   = 8 * tickInterval
	// slateSilence is how long a redactor may send nothing, not even a heartbeat, and how
	// long its encoder may work on one picture, before viewers get a prepared slate. It
	// is nearly four heartbeats, which report the encoder's time.
	slateSilence = 15 * tickInterval
	// slateInterval is the time between slates, as in a redactor.
	slateInterval = 250 * time.Millisecond
	// fenceInterval is when a redactor whose output is held back is sent a key-frame
	// request again, behind another fence if it still hangs.
	fenceInterval = time.Second
)

// When a redactor is killed and restarted.
const (
	// helloTimeout bounds the start of a redactor, which loads its model.
	helloTimeout = 20 * time.Second
	// admissionTime is how long a start may wait while others, whose cameras send, go
	// first.
	admissionTime = 5 * time.Second
	// killSilence is how long a redactor may send nothing before it is killed: the whole
	// process stands still. A call into C that hangs does not stop its heartbeats; the
	// redactor exits by itself for that.
	killSilence = 1500 * time.Millisecond
	// starveTime replaces killSilence and helloTimeout while the process waits for a
	// processor: another start would make that worse.
	starveTime = 30 * time.Second
	// fullShare is how much of the time, in percent, a process must have had a processor
	// not to be waiting for one. Examinations are not evenly spaced.
	fullShare = 80
	// examineSilence is the silence after which the process is examined every
	// examineInterval. Before that, its processor time is read every usageInterval.
	examineSilence  = slateSilence - ipc.HeartbeatInterval
	examineInterval = 250 * time.Millisecond
	usageInterval   = time.Second
	// spinCPU is how much processor time, and spinTime how much clock time, a redactor
	// may use without sending a picture or a slate; several a second are due
	// whatever the camera does. Heartbeats do not count: an attacker who controls the
	// process can send them. A limit of the kernel would count the processor time of its
	// whole life, which is months.
	spinCPU  = 30 * time.Second
	spinTime = 5 * time.Second
	// quitTime is how long a redactor may take to exit when its pipe is closed.
	quitTime = 2 * time.Second
	// minRestart and maxRestart are the waits between starts, which double. A redactor
	// that has worked for healthyTime is restarted at once.
	minRestart  = 250 * time.Millisecond
	maxRestart  = 10 * time.Second
	healthyTime = 30 * time.Second
)

// When the worker ends the connection to a camera that sends, because no picture can be
// shown.
const (
	// noPictureTime is how long that takes at first, and maxNoPictureTime at most: it
	// doubles after each reconnection that did not help. Otherwise a camera whose key
	// frames are far apart, and that does not begin with one, would never be shown.
	noPictureTime    = 5 * time.Second
	maxNoPictureTime = 80 * time.Second
	// ownFaultTime is the least if the gate was shut by a fault that is not in what the
	// camera sends: that must be fixed before a key frame helps.
	ownFaultTime = 30 * time.Second
	// slowPicture is added for each picture of look-ahead.
	slowPicture = 200 * time.Millisecond
	// sendingTime is how long after a unit a camera still counts as sending. Silence is
	// a matter for the source's own timeout.
	sendingTime = 3 * time.Second
	// silentTime is how long a camera may send nothing, from its start or its last unit,
	// before it is offline, if its source has not failed earlier. It is longer than the
	// source's usual timeouts, whose errors say more.
	silentTime = 10 * time.Second
)

// What is reported, and when.
const (
	// statusInterval is the time between statuses while nothing changes.
	statusInterval = time.Second
	// fpsWindow is the time over which rates are measured.
	fpsWindow = 3 * time.Second
	// outageTime is how long there is no live picture before that is logged.
	outageTime = 10 * time.Second
	// repairTime is how long an attempt to end an outage may take before the log is
	// expected to report it again.
	repairTime = time.Minute
	// lossInterval is the least time between log lines about units that were not sent.
	lossInterval = 10 * time.Second
)

// The redactor on standby, and the slates that all cameras share.
const (
	// standbyDelay is the time from the start of the worker, or from the use or exit of
	// the last redactor on standby, to the start of the next: cameras come first. It
	// grows up to maxStandbyDelay while none lives for healthyTime.
	standbyDelay    = time.Second
	maxStandbyDelay = 30 * time.Second
	// sharedSlateTime bounds the encoding of the shared slates.
	sharedSlateTime = starveTime
)
