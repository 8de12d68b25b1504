package camera

import (
	"context"
	"log/slog"
	"time"

	"scrim/pipeline/ipc"
	"scrim/transport"
)

// An event is something that happened. Events of a redactor process bear its number:
// those of earlier processes are ignored.
type event any

// Events of the loop and of the worker.
type (
	// runStarted: the loop runs. With working, it has a source and starts redactors;
	// without, it only reports why the camera failed.
	runStarted struct{ working bool }
	// tick: tickInterval has passed.
	tick struct{}
	// sharedSlatesDone: with failed, their redactor did not come up, so that the camera's
	// own has to report why.
	sharedSlatesDone struct {
		list   []slate
		failed bool
	}
	keyframeRequested struct{}
	// snapshotRequested: to receives one; snapshotCanceled: it does not any more.
	snapshotRequested struct{ to chan *transport.Snapshot }
	snapshotCanceled  struct{ to chan *transport.Snapshot }
	statusRequested   struct{ to chan transport.Status }
	// noticeChanged: operators must know this; "" takes it back.
	noticeChanged struct{ text string }
)

// Events of the camera.
type (
	// connecting: an attempt to connect begins.
	connecting struct {
		again bool
		end   context.CancelCauseFunc // for the loop
	}
	// sourceEnded: it failed, or the connection ended. Detail is for the log, reason for
	// viewers. With byWorker, it ended on the machine's request.
	sourceEnded struct {
		detail, reason string
		delay          time.Duration // until the next attempt
		byWorker       bool
	}
	unitArrived struct{ unit transport.CameraUnit }
)

// Events of a redactor process.
type (
	processStarted struct{ id, pid int }
	// processEnded: it has ended, or could not be started.
	processEnded struct {
		id  int
		err error
	}
	// processBroken: communication with it failed.
	processBroken struct {
		id  int
		err error
	}
	// processExamined: what the kernel reports. Runnable is set when it works, or waits
	// for a processor; the time that it has used tells which.
	processExamined struct {
		id       int
		used     time.Duration // processor time
		known    bool          // used is
		runnable bool
	}
	// writeDone: its pipe has accepted the last message.
	writeDone struct{ id int }
	// messageReceived: head is a message of package ipc.
	messageReceived struct {
		id   int
		head any
		data []byte
	}
)

// Events of the bus.
type (
	// unitSent: the bus accepted a unit of so many bytes, or refused it with err.
	unitSent struct {
		bytes int
		err   error
	}
	// reportSent: the bus accepted or refused a report.
	reportSent struct{}
)

// An action is what the loop does for the machine.
type action any

type (
	// publish sends a unit to the bus; the answer is unitSent. A slate has no record.
	publish struct {
		unit   *transport.RedactedUnit
		record *ipc.Record
	}
	// report publishes changes of state and the status; the answer is reportSent.
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
	// startProcess starts a redactor once that is admitted; the answer is processStarted
	// or processEnded. Sends is set when the camera sends.
	startProcess struct {
		id    int
		sends bool
	}
	// raisePriority: the camera of the redactor that waits for its start sends now.
	raisePriority struct{}
	// writeMessage sends a message to the redactor; the answer is writeDone.
	writeMessage struct {
		id   int
		item item
	}
	killProcess struct{ id int }
	// examineProcess requests processExamined; with state, including runnable, which
	// costs more.
	examineProcess struct {
		id    int
		state bool
	}
	// reconnect ends the connection to the camera.
	reconnect struct{ err error }
	// giveUp ends the camera's run.
	giveUp  struct{ err error }
	logLine struct {
		level slog.Level
		msg   string
		args  []any
	}
)
