package redact

// Cause is why pictures are not shown. It is one value, so that its two parts
// always belong together.
type Cause struct {
	// Fault is the kind; empty where nothing is wrong, such as at the start.
	// Decisions rest on it alone.
	Fault Fault
	// Text is what viewers read. It may quote a camera.
	Text string
}

// Fault is the kind of a Cause. Callers of Gate.Shut may use kinds of their own.
type Fault string

// The faults for which a Redactor shuts the gate.
const (
	// FaultDetector: detection failed, or its result makes no sense.
	FaultDetector Fault = "detector"
	// FaultTracker: tracking failed, or left a face uncovered.
	FaultTracker Fault = "tracker"
	// FaultObscurer: obscuring failed.
	FaultObscurer Fault = "obscurer"
	// FaultInspection: picture, inspection and regions do not belong together.
	FaultInspection Fault = "inspection"
	// FaultSelfTest: the self-test failed.
	FaultSelfTest Fault = "selftest"
	// FaultPanic: the code of the redactor panicked.
	FaultPanic Fault = "panic"
)
