package redact

// The reasons for which a Redactor shuts the gate.
const (
	ReasonOrder     = "picture of another camera or out of order"
	ReasonSelfTest  = "the redactor's self-test failed"
	ReasonDetection = "face detection failed"
	ReasonTracking  = "face tracking failed"
	ReasonAnother   = "regions of another picture"
	ReasonObscuring = "obscuring failed"
	ReasonSecond    = "second look failed"
	ReasonInspect   = "no valid inspection"
	ReasonPanic     = "internal error in the redactor"
)
