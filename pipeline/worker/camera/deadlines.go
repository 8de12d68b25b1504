package camera

import (
	"time"

	"scrim/pipeline/ipc"
)

// All times after which something happens to a camera are in this file. The machine
// looks at them at every tick; on a busy machine those are up to lateTick apart.
//
// A fault ends in a slate within half a second (deadlines_test.go holds the sums, and
// a property test the promise):
//
//	fault                                   noticed by        slate after, at most
//	process ended, or could not be started  its end           0
//	protocol violated, pipe broken          the message       0
//	picture turned out not to be whole      the next unit     0
//	process stands still                    no heartbeat      slateSilence + lateTick        = 500 ms
//	encoder hangs                           the heartbeat     slateSilence + lateTick        = 500 ms
//	camera sends nothing                    the redactor      its own slate, see package pipeline
//
// Where this program itself stands still for longer than standstill, as a machine that
// sleeps has it, it can show nothing meanwhile, and takes the time off the redactor's,
// once in a silence.
const (
	// tickInterval is the time between ticks, lateTick what it becomes on a machine
	// whose processors are all busy, and standstill what it is only where this program
	// got none at all.
	tickInterval = ipc.HeartbeatInterval / 4
	lateTick     = 5 * tickInterval
	standstill   = 8 * tickInterval
	// slateSilence is how long a redactor may send nothing, not even a heartbeat,
	// before viewers get a prepared slate. It is nearly four heartbeats. Its encoder may
	// work on one picture for as long; for how long it has is in the last heartbeat.
	slateSilence = 15 * tickInterval
	// slateInterval is the time between slates, as in a redactor.
	slateInterval = 250 * time.Millisecond
	// fenceInterval is the time after which a redactor that was covered for is asked
	// for a key frame again, behind another fence if it hangs still.
	fenceInterval = time.Second
)

// When a redactor is given up.
const (
	// helloTimeout bounds the start of a redactor: it loads its model.
	helloTimeout = 20 * time.Second
	// admissionTime is how long a start may wait for its turn while others, whose
	// cameras send, go first.
	admissionTime = 5 * time.Second
	// killSilence is how long a redactor may send nothing before it is killed: the
	// whole process stands still then. A call into C that hangs does not keep it from
	// sending heartbeats; it ends itself for that.
	killSilence = 1500 * time.Millisecond
	// starveTime is what a process gets instead, from helloTimeout's beginning as
	// well, while it waits for a processor: to start another would only make it worse.
	starveTime = 30 * time.Second
	// fullShare is how much of the time, in percent, a process must have had a processor
	// not to wait for one. The looks at it are not evenly apart.
	fullShare = 80
	// examineSilence is the silence after which the process itself is looked at, every
	// examineInterval; before that it is every usageInterval, for its processor time.
	examineSilence  = slateSilence - ipc.HeartbeatInterval
	examineInterval = 250 * time.Millisecond
	usageInterval   = time.Second
	// spinCPU is how much processor time a redactor may use, and spinTime how long it
	// may take, without sending a picture or a slate, several of which a second are
	// due whatever the camera does. It may be alive in all other ways: who has taken
	// it over may let it say so. A limit of the kernel's would count all that it has
	// ever used, and it runs for months.
	spinCPU  = 30 * time.Second
	spinTime = 5 * time.Second
	// quitTime is what a redactor gets to end by itself when its pipe is closed.
	quitTime = 2 * time.Second
	// minRestart and maxRestart are the waits between starts of the redactor, which
	// double; after one that has made units for healthyTime the next starts at once.
	minRestart  = 250 * time.Millisecond
	maxRestart  = 10 * time.Second
	healthyTime = 30 * time.Second
)

// When a connection to a camera that sends is ended, since no picture can be shown.
const (
	// noPictureTime is for how long there may be none, and maxNoPictureTime the
	// longest that this gets: a connection that helps nothing is tried half as often
	// the next time. A camera whose key frames are further apart, and that begins with
	// none, would never be shown otherwise.
	noPictureTime    = 5 * time.Second
	maxNoPictureTime = 80 * time.Second
	// ownFaultTime is the least where what shut the gate is no fault of what the
	// camera sends: that has to be mended first, and only then is a key frame needed.
	ownFaultTime = 30 * time.Second
	// slowPicture is what a picture of look-ahead may take: as long comes none.
	slowPicture = 200 * time.Millisecond
	// sendingTime is how long after a unit a camera still counts as sending. Silence is
	// a matter for the source's own timeout.
	sendingTime = 3 * time.Second
	// silentTime is how long a camera may send nothing, from its start or its last unit,
	// before it is offline, if its source has not failed earlier. It is longer than the
	// source's usual timeouts, whose errors say more.
	silentTime = 10 * time.Second
)

// What is told, and when.
const (
	// statusInterval is the time between statuses while nothing changes.
	statusInterval = time.Second
	// fpsWindow is the time over which rates of pictures are measured.
	fpsWindow = 3 * time.Second
	// outageTime is for how long viewers may have no picture before the log says so.
	outageTime = 10 * time.Second
	// repairTime is what an attempt to end an outage may take, until the log says how
	// it went.
	repairTime = time.Minute
	// lossInterval is the least time between lines about units that could not be sent.
	lossInterval = 10 * time.Second
)

// The redactor on standby, and the slates that all cameras share.
const (
	// standbyDelay is the time from the start, and from when the standby was taken or
	// has ended, to the next one's start: what runs is shown before. It grows up to
	// maxStandbyDelay while none lives for healthyTime.
	standbyDelay    = time.Second
	maxStandbyDelay = 30 * time.Second
	// sharedSlateTime is what coding the shared slates may take.
	sharedSlateTime = starveTime
)
