package transport

import "slices"

// Fault is what kind of thing keeps a camera from being live: one of a few, for
// counting. Reasons are for people, and there are many.
type Fault string

// The faults. The empty one is none: the camera is live, or coming up.
const (
	// FaultCamera: there is no connection to the camera.
	FaultCamera Fault = "camera"
	// FaultStall: no picture came in time, from the camera or from a stage.
	FaultStall Fault = "stall"
	// FaultLoss: input was lost, came twice or in another order.
	FaultLoss Fault = "loss"
	// FaultDamage: what came cannot be decoded, or is not whole.
	FaultDamage Fault = "damage"
	// FaultFormat: the size or format of the pictures changed.
	FaultFormat Fault = "format"
	// FaultOverflow: a queue was full, and what was in it was dropped.
	FaultOverflow Fault = "overflow"
	// FaultDetector, FaultTracker, FaultObscurer: that part failed, or its answer
	// makes no sense.
	FaultDetector Fault = "detector"
	FaultTracker  Fault = "tracker"
	FaultObscurer Fault = "obscurer"
	// FaultInspection: an inspection or its regions belonged to another picture.
	FaultInspection Fault = "inspection"
	// FaultSelfTest: the drawn face was not found, or not obscured.
	FaultSelfTest Fault = "selftest"
	// FaultPanic: the redactor's own code failed.
	FaultPanic Fault = "panic"
	// FaultCrash: the redactor process ended.
	FaultCrash Fault = "crash"
	// FaultHang: the redactor process, or its encoder, does not answer.
	FaultHang Fault = "hang"
	// FaultOverload: the machine is too slow: the redactor process waits for a
	// processor.
	FaultOverload Fault = "overload"
	// FaultConfig: the redactor cannot work as it is set up, such as when its model
	// is missing.
	FaultConfig Fault = "config"
	// FaultOther is everything else.
	FaultOther Fault = "other"
)

var faults = []Fault{
	FaultCamera, FaultStall, FaultLoss, FaultDamage, FaultFormat, FaultOverflow, FaultDetector, FaultTracker, FaultObscurer,
	FaultInspection, FaultSelfTest, FaultPanic, FaultCrash, FaultHang, FaultOverload, FaultConfig, FaultOther,
}

// Faults returns all faults.
func Faults() []Fault { return slices.Clone(faults) }

// Known returns f when it is one of Faults or empty, and FaultOther else: what
// another process says is not trusted.
func (f Fault) Known() Fault {
	if f == "" || slices.Contains(faults, f) {
		return f
	}
	return FaultOther
}

// OfRedactor reports whether it is the redactor process that does not work, and
// not its input.
func (f Fault) OfRedactor() bool {
	return f == FaultCrash || f == FaultHang || f == FaultConfig
}
