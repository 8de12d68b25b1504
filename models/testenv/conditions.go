package testenv

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/cpu"
)

// Condition is something that a test needs. Its text is the name by which it is
// reported, and by which EnvRequire names it.
type Condition string

// Programs and files that .ci/deps installs.
const (
	FFmpeg    Condition = "ffmpeg"
	FFprobe   Condition = "ffprobe"
	Chromium  Condition = "chromium"
	Curl      Condition = "curl"
	GStreamer Condition = "gstreamer" // gst-launch-1.0, and the elements that tests use
	FaceBlur  Condition = "faceblur"  // GStreamer's element, and the cascade that it finds faces by
	IPRoute   Condition = "iproute2"
	Nft       Condition = "nft"
	Systemd   Condition = "systemd-analyze"
	IEEEData  Condition = "ieee-data"
)

// Go2RTC is the program that `make peers` builds.
const Go2RTC Condition = "go2rtc"

// Files that are neither part of the repository nor of a package. They may lie in
// the folder `shared` next to it.
const (
	YuNet       Condition = "yunet-n"     // the model's file
	YuNetS      Condition = "yunet-s"     // the smaller model's file
	Photographs Condition = "photographs" // the folder of faces.json
	Clips       Condition = "clips"       // the folder of the videos
)

// Root is the right to change the machine's network.
const Root Condition = "root"

// What the processor, the kernel or the system has, or has not.
const (
	Linux      Condition = "linux"
	AMD64      Condition = "amd64"
	AVX2       Condition = "avx2"   // with FMA
	AVX512     Condition = "avx512" // F, BW, VL, DQ and VNNI
	Seccomp    Condition = "seccomp"
	Landlock   Condition = "landlock"
	NetNS      Condition = "netns"     // `ip netns` works
	Netem      Condition = "netem"     // the kernel can lose packets
	NFTables   Condition = "nftables"  // the kernel has them
	Multicast  Condition = "multicast" // it works on the loopback interface
	DevFull    Condition = "dev-full"
	Unconfined Condition = "unconfined" // a process may get new privileges, and read /
	HangUp     Condition = "sighup"     // this process does not ignore the signal
	NoModels   Condition = "no-models"  // no model is installed for the whole system
)

// How the tests were started.
const (
	Long     Condition = "long"      // EnvLong is set
	NotShort Condition = "not-short" // without -short
)

// spec is how a condition is looked for.
type spec struct {
	// find returns the path, if the condition is one of a file, or why the
	// condition is not met.
	find func() (path string, err error)
	// remedy says what to do.
	remedy string
	// obtainable reports whether this machine could meet the condition; nil: no.
	obtainable func() bool
}

const (
	deps = "`make deps` installs it on Debian"
	data = "the folder ../shared has it"
)

func known() map[Condition]spec {
	always := func() bool { return true }
	inPath := func(names ...string) func() (string, error) {
		return func() (string, error) { return program(names...) }
	}
	// Evaluated only when asked: flags are parsed after package variables are set.
	here := func(is func() bool, why string) func() (string, error) {
		return func() (string, error) {
			if !is() {
				return missing("%s", why)
			}
			return "", nil
		}
	}
	return map[Condition]spec{
		FFmpeg:    {inPath("ffmpeg"), deps, always},
		FFprobe:   {inPath("ffprobe"), deps, always},
		Chromium:  {inPath("chromium", "chromium-browser", "google-chrome"), deps, always},
		Curl:      {inPath("curl"), deps, always},
		GStreamer: {gstreamer, deps, always},
		FaceBlur:  {faceBlur, deps, always},
		IPRoute:   {inPath("ip"), deps, always},
		Nft:       {inPath("nft"), deps, always},
		Systemd:   {inPath("systemd-analyze"), deps, always},
		IEEEData:  {file("/usr/share/ieee-data"), deps, always},
		Go2RTC:    {inRepository("bin/tools/go2rtc"), "`make peers` builds it", always},

		YuNet: {model("face_detection_yunet_n.onnx"), "`scrim models pull yunet-n` fetches it", sharedIsThere},
		// OpenCV's zoo gives it another name.
		YuNetS: {model("face_detection_yunet_s.onnx", "face_detection_yunet_2023mar.onnx"),
			"`scrim models pull yunet-s` fetches it", sharedIsThere},
		Photographs: {inShared("faces", "faces.json"), data, sharedIsThere},
		Clips:       {inShared("media", "*.mp4"), data, sharedIsThere},

		Root: {here(func() bool { return os.Geteuid() == 0 }, "this user is not root"), "run the tests as root", always},

		Linux:   {here(func() bool { return runtime.GOOS == "linux" }, "this is "+runtime.GOOS), "", nil},
		AMD64:   {here(func() bool { return runtime.GOARCH == "amd64" }, "this is "+runtime.GOARCH), "", nil},
		AVX2:    {here(func() bool { return cpu.X86.HasAVX2 && cpu.X86.HasFMA }, "this processor lacks it"), "", nil},
		AVX512:  {here(avx512, "this processor lacks it"), "", nil},
		Seccomp: {seccomp, "", nil}, Landlock: {landlock, "", nil}, Unconfined: {unconfined, "", nil},
		NetNS: {netNS, "", nil}, Netem: {netem, "", nil}, NFTables: {nftables, "", nil}, Multicast: {multicast, "", nil},
		DevFull:  {file("/dev/full"), "", nil},
		HangUp:   {here(func() bool { return !signal.Ignored(syscall.SIGHUP) }, "this process ignores it"), "", nil},
		NoModels: {noModels, "", nil},

		Long:     {here(func() bool { return os.Getenv(EnvLong) != "" }, "takes minutes"), "set " + EnvLong + "=1", nil},
		NotShort: {here(func() bool { return !testing.Short() }, "-short is given"), "", nil},
	}
}

func avx512() bool {
	x := &cpu.X86
	return x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VNNI
}

// program returns the path of the first of some programs that is in PATH, or where
// Debian keeps programs that root runs.
func program(names ...string) (string, error) {
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil {
			return path, nil
		}
		if path, err = exec.LookPath(filepath.Join("/usr/sbin", name)); err == nil {
			return path, nil
		}
	}
	return missing("not in PATH")
}

// file is the condition that a file or folder is there.
func file(path string) func() (string, error) {
	return func() (string, error) {
		if _, err := os.Stat(path); err != nil {
			return missing("no %s", path)
		}
		return path, nil
	}
}

// root returns the folder of the repository. Tests run in one below it.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("not run within the repository")
		}
		dir = up
	}
}

func inRepository(name string) func() (string, error) {
	return func() (string, error) {
		dir, err := root()
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(path); err != nil {
			return missing("no %s", name)
		}
		return path, nil
	}
}

// shared returns the folder of data for measuring.
func shared() (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(dir), "shared"), nil
}

// sharedIsThere reports whether there is such a folder, and it is ours.
func sharedIsThere() bool {
	dir, err := shared()
	if err != nil {
		return false
	}
	for _, name := range []string{"faces", "media", "models"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// inShared is the condition that a folder of it holds a file.
func inShared(folder, pattern string) func() (string, error) {
	return func() (string, error) {
		dir, err := shared()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(dir, folder)
		if found, _ := filepath.Glob(filepath.Join(dir, pattern)); len(found) == 0 {
			return missing("no ../shared/%s", folder)
		}
		return dir, nil
	}
}

// systemModels is where packages of the operating system put models.
const systemModels = "/usr/share/scrim/models"

// model is the condition that a model's file is there, by one of its names. It is
// looked for where Scrim does, and in the shared folder.
func model(names ...string) func() (string, error) {
	return func() (string, error) {
		for _, dir := range modelDirs() {
			for _, name := range names {
				path, err := filepath.Abs(filepath.Join(dir, name))
				if err != nil {
					continue
				}
				if _, err := os.Stat(path); err == nil {
					return path, nil
				}
			}
		}
		return missing("no such model")
	}
}

func modelDirs() []string {
	dirs := filepath.SplitList(os.Getenv("SCRIM_MODELS"))
	if dir, err := shared(); err == nil {
		dirs = append(dirs, filepath.Join(dir, "models"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local/share/scrim/models"))
	}
	return slices.DeleteFunc(append(dirs, systemModels), func(dir string) bool { return dir == "" })
}

func noModels() (string, error) {
	if found, _ := filepath.Glob(filepath.Join(systemModels, "*.onnx")); len(found) > 0 {
		return missing("%s has models, which every Scrim finds", systemModels)
	}
	return "", nil
}
