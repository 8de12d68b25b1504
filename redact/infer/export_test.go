package infer

// ReadFor reads a model for each path that this processor can run.
func ReadFor(onnx []byte, each func(name string, m *Model, err error)) {
	for _, p := range paths {
		if p.usable() {
			m, err := read(onnx, p)
			each(p.name, m, err)
		}
	}
}
