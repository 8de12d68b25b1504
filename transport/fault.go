package transport

import "slices"

// Fault is the kind of problem that keeps a camera from being live. There are a few,
// for counting; reasons are for people.
type Fault string

// The faults. The empty Fault: the camera is live or starting.
const (
	// FaultCamera: there is no connection to the camera.
	FaultCamera Fault = "camera"
	// FaultStall: no picture arrived in time, from the camera or from a stage.
	FaultStall Fault = "stall"
	// FaultLoss: input was lost, repeated or reordered.
	FaultLoss Fault = "loss"
	// FaultDamage: the input cannot be decoded or is incomplete.
	FaultDamage Fault = "damage"
	// FaultFormat: the size or format of the pictures changed.
	FaultFormat Fault = "format"
	// FaultOverflow: a queue was full and was dropped.
	FaultOverflow Fault = "overflow"
	// FaultDetector, FaultTracker, FaultObscurer: this part failed, or returned an
	// invalid result.
	FaultDetector Fault = "detector"
	FaultTracker  Fault = "tracker"
	FaultObscurer Fault = "obscurer"
	// FaultInspection: an inspection or its regions belonged to another picture.
	FaultInspection Fault = "inspection"
	// FaultSelfTest: the drawn face was not found, or not obscured.
	FaultSelfTest Fault = "selftest"
	// FaultBlind: the detector cannot see in the camera's pictures.
	FaultBlind Fault = "blind"
	// FaultPanic: the redactor's own code failed.
	FaultPanic Fault = "panic"
	// FaultCrash: the redactor process ended.
	FaultCrash Fault = "crash"
	// FaultHang: the redactor process, or its encoder, does not answer.
	FaultHang Fault = "hang"
	// FaultOverload: the machine is too slow; the redactor process waits for a
	// processor.
	FaultOverload Fault = "overload"
	// FaultConfig: the redactor cannot work with its settings, for instance because its
	// model is missing.
	FaultConfig Fault = "config"
	// FaultOther is everything else.
	FaultOther Fault = "other"
)

var faults = []Fault{
	FaultCamera, FaultStall, FaultLoss, FaultDamage, FaultFormat, FaultOverflow, FaultDetector, FaultTracker, FaultObscurer,
	FaultInspection, FaultSelfTest, FaultBlind, FaultPanic, FaultCrash, FaultHang, FaultOverload, FaultConfig, FaultOther,
}

// Faults returns all faults.
func Faults() []Fault { return slices.Clone(faults) }

// Known returns f if it is empty or one of Faults, and FaultOther otherwise: other
// processes are not trusted.
func (f Fault) Known() Fault {
	if f == "" || slices.Contains(faults, f) {
		return f
	}
	return FaultOther
}

// OfRedactor reports whether the redactor process fails, not its input.
func (f Fault) OfRedactor() bool {
	return f == FaultCrash || f == FaultHang || f == FaultConfig
}
