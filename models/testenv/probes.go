package testenv

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/ipv4"
)

// elements are those of GStreamer that tests use.
var elements = []string{
	"filesrc", "decodebin", "videoconvert", "rtspsrc", "rtph264depay", "h264parse", "avdec_h264", "x264enc", "qtdemux",
}

var gstreamer = sync.OnceValues(func() (string, error) {
	path, err := program("gst-launch-1.0")
	if err != nil {
		return "", err
	}
	return path, have(elements...)
})

var faceBlur = sync.OnceValues(func() (string, error) {
	if _, err := gstreamer(); err != nil {
		return "", err
	}
	if err := have("faceblur"); err != nil {
		return "", err
	}
	return cascade()
})

// cascade looks for the classifier where packages of OpenCV put it.
func cascade() (string, error) {
	const file = "haarcascade_frontalface_default.xml"
	for _, dir := range []string{"/usr", "/usr/local", "/opt/homebrew"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "share", "opencv*", "haarcascades", file)); len(found) > 0 {
			return found[0], nil
		}
	}
	return missing("no %s", file)
}

// have looks for elements of GStreamer.
func have(elements ...string) error {
	for _, e := range elements {
		if err := exec.Command("gst-inspect-1.0", "--exists", e).Run(); err != nil {
			return fmt.Errorf("no element %s", e)
		}
	}
	return nil
}

// Each of these tries what tests do: only the kernel knows.
var (
	netNS = sync.OnceValues(func() (string, error) {
		name := fmt.Sprintf("scrimneed%d", os.Getpid())
		if err := do("ip", "netns", "add", name); err != nil {
			return "", err
		}
		return "", do("ip", "netns", "del", name)
	})
	netem = sync.OnceValues(func() (string, error) {
		return "", do("unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms")
	})
	nftables = sync.OnceValues(func() (string, error) {
		return "", do("nft", "list", "ruleset")
	})
	multicast = sync.OnceValues(func() (string, error) {
		return "", listenToOneself()
	})
)

// do runs a program; the error is the first line of what it says.
func do(name string, args ...string) error {
	path, err := program(name)
	if err != nil {
		return fmt.Errorf("no program %s", name)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil { //nolint:gosec // those above
		said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		if said == "" {
			said = err.Error()
		}
		return errors.New(said)
	}
	return nil
}

// listenToOneself sends a packet to a group on the loopback interface.
func listenToOneself() error {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return err
	}
	in, err := net.ListenMulticastUDP("udp4", lo, &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250)})
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer out.Close()
	if err := ipv4.NewPacketConn(out).SetMulticastInterface(lo); err != nil {
		return err
	}
	port := in.LocalAddr().(*net.UDPAddr).Port
	if _, err := out.WriteTo([]byte("scrim"), &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: port}); err != nil {
		return err
	}
	if err := in.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, _, err := in.ReadFromUDP(make([]byte, 16)); err != nil {
		return errors.New("a packet to a group does not come back")
	}
	return nil
}
