package camera

import (
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// An event is what has happened, for the machine. Those of a redactor process bear its
// number: what comes of one that is not the present one is nobody's any more.
type event any

// Events of the loop and of the worker.
type (
	// begun: the loop runs. Working is set when it has a source and starts redactors;
	// else it only tells what became of the camera.
	runStarted struct{ working bool }
	// tick: tickInterval has passed.
	tick struct{}
	// sharedSlates are those that all cameras have.
	sharedSlatesReady struct{ list []slate }
	// redactorWanted: one is needed even for a camera that has sent nothing.
	redactorNeeded struct{}
	// keyframeAsked: a viewer needs a key frame.
	keyframeRequested struct{}
	// snapshotAsked: somebody waits for a snapshot, snapshotLeft: and does not any more.
	snapshotRequested struct{ to chan *transport.Snapshot }
	snapshotCanceled  struct{ to chan *transport.Snapshot }
	statusRequested   struct{ to chan transport.Status }
	// noticed: operators must know this; "" takes it back.
	noticeChanged struct{ text string }
)

// Events of the camera.
type (
	// sourceBegun: an attempt to connect begins.
	connecting struct{ again bool }
	// sourceEnded: it failed, or the connection ended. Detail is for the log, reason
	// for viewers.
	sourceEnded struct {
		detail, reason string
		delay          time.Duration
	}
	unitArrived struct{ unit transport.CameraUnit }
)

// Events of a redactor process.
type (
	processStarted struct{ id, pid int }
	// processEnded: it is not there any more, or could not be started.
	processEnded struct {
		id  int
		err error
	}
	// processBroken: it cannot be talked to any more.
	processBroken struct {
		id  int
		err error
	}
	// processExamined: what the kernel says of it. Runnable is set when it works, or
	// waits for a processor; the time that it has used tells which.
	processExamined struct {
		id       int
		used     time.Duration // processor time
		known    bool          // used is
		runnable bool
	}
	// written: its pipe has taken what was sent last.
	writeDone struct{ id int }
	// said: a message with a head of package ipc.
	messageReceived struct {
		id   int
		head any
		data []byte
	}
)

// Events of the bus.
type (
	// sent: it took a unit of so many bytes, or err says why not.
	unitSent struct {
		bytes int
		err   error
	}
	// reported: it took a report, or will not.
	reportSent struct{}
)

// An action is what the loop does for the machine.
type action any

type (
	// publish hands a unit to the bus; the answer is sent. A slate has no record.
	publish struct {
		unit   *transport.RedactedUnit
		record *ipc.Record
	}
	// report tells on the bus what has changed, and the status; the answer is reported.
	report struct {
		events []transport.Event
		status transport.Status
	}
	returnSnapshot struct {
		to       chan *transport.Snapshot
		snapshot *transport.Snapshot
	}
	returnStatus struct {
		to     chan transport.Status
		status transport.Status
	}
	// start starts a redactor when that is admitted; the answer is processStarted, or
	// processEnded. Sends is set when the camera sends.
	startProcess struct {
		id    int
		sends bool
	}
	// startFirst: the camera of the redactor that waits for its start sends now.
	raisePriority struct{}
	// write sends a message to it; the answer is written.
	writeMessage struct {
		id   int
		item item
	}
	killProcess struct{ id int }
	// examine asks for processExamined; state: runnable is wanted, which costs more.
	examineProcess struct {
		id    int
		state bool
	}
	// reconnect ends the connection to the camera.
	reconnect struct{ err error }
	// giveUp ends the camera.
	giveUp struct{ err error }
	// logLine logs a line.
	logLine struct {
		level slog.Level
		msg   string
		args  []any
	}
)
