package guard

// guards are all of them, each with the end of its tag.
var guards = []struct {
	name string
	on   bool
}{
	{"discontinuity", Discontinuity},
	{"frame_num", FrameNum},
	{"new_sps", NewSPS},
	{"corrupt", Corrupt},
	{"complete", Complete},
	{"key_frame", KeyFrame},
	{"chain", Chain},
	{"detection", Detection},
	{"selftest", SelfTest},
	{"covers", Covers},
	{"obscuring", Obscuring},
	{"certificate", Certificate},
	{"admits", Admits},
}

// Removed returns the names of the guards that this program was built without;
// nothing but tests may run then.
func Removed() []string {
	var out []string
	for _, g := range guards {
		if !g.on {
			out = append(out, g.name)
		}
	}
	return out
}

// Names returns the names of all guards; unguarded_NAME is the build tag.
func Names() []string {
	out := make([]string, 0, len(guards))
	for _, g := range guards {
		out = append(out, g.name)
	}
	return out
}
