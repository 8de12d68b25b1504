package bench

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Machine is the machine of a measurement.
type Machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memory_bytes"`
	Kernel  string `json:"kernel"`
	System  string `json:"system"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	LoadAvg string `json:"load_average"`
}

// ThisMachine describes this machine.
func ThisMachine() Machine {
	m := Machine{
		CPU: field("/proc/cpuinfo", "model name", ":"), Cores: runtime.NumCPU(), Memory: kilobytes("/proc/meminfo", "MemTotal:"),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`), OS: runtime.GOOS, Arch: runtime.GOARCH,
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.LoadAvg = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	return m
}

// field returns the value of a name in a file of lines, or "".
func field(path, name, between string) string {
	text, err := os.ReadFile(path) //nolint:gosec // of the system
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, between); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// modules are the Go modules whose versions matter, by their usual names.
var modules = map[string]string{
	"nats-server": "github.com/nats-io/nats-server/v2", "nats.go": "github.com/nats-io/nats.go",
	"pion/webrtc": "github.com/pion/webrtc/v3", "gortsplib": "github.com/bluenviron/gortsplib/v4",
	"gocv": "gocv.io/x/gocv", "go-astiav": "github.com/asticode/go-astiav",
}

// libraries matches the file names of dynamically linked libraries, which end in the
// version.
var libraries = regexp.MustCompile(`^lib(opencv_core|opencv_dnn|avcodec|avformat|x264|onnxruntime)\.so\.(.+)$`)

// Versions returns the versions of Scrim (scrim), Go, and the modules and libraries
// of the programs at some paths.
func Versions(scrim string, programs ...string) map[string]string {
	out := map[string]string{"scrim": scrim, "go": runtime.Version()}
	for _, path := range programs {
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			continue
		}
		for _, d := range info.Deps {
			for name, path := range modules {
				if d.Path == path {
					out[name] = d.Version
				}
			}
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				out["git"] = s.Value
			}
			if s.Key == "vcs.modified" && s.Value == "true" {
				out["git_modified"] = s.Value
			}
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(maps)) {
		f := strings.Fields(line)
		if m := libraries.FindStringSubmatch(filepath.Base(f[len(f)-1])); m != nil {
			out["lib"+m[1]] = m[2]
		}
	}
	return out
}
