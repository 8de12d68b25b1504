package audit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"scrim/models/testenv"
)

// actEnv makes this program act as a machine in a network instead of testing.
const actEnv = "SCRIM_AUDIT_TEST_ACT"

func TestMain(m *testing.M) {
	if act := os.Getenv(actEnv); act != "" {
		os.Exit(playAct(act))
	}
	goleak.VerifyTestMain(m)
}

// playAct listens at addresses until its input ends, or tries to connect to one.
func playAct(act string) int {
	what, addresses, _ := strings.Cut(act, " ")
	if what == "dial" {
		// Dropped packets are never answered.
		conn, err := net.DialTimeout("tcp", addresses, time.Second)
		if err != nil {
			return 1
		}
		_ = conn.Close()
		return 0
	}
	for a := range strings.FieldsSeq(addresses) {
		ln, err := net.Listen("tcp", a)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer ln.Close()
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// network is two machines on one cable: this host and a camera.
type network struct {
	t    *testing.T
	host string
	cam  string
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	testenv.Need(t, testenv.IPRoute, testenv.Nft, testenv.Root, testenv.NetNS, testenv.NFTables)
	id := fmt.Sprintf("scrim%d", os.Getpid())
	n := &network{t: t, host: id + "h", cam: id + "c"}
	for _, ns := range []string{n.host, n.cam} {
		n.ip("netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	n.ip("link", "add", "cam0", "netns", n.host, "type", "veth", "peer", "name", "cam0", "netns", n.cam)
	n.ip("-n", n.cam, "link", "set", "cam0", "address", "bc:ad:28:01:02:03")
	n.ip("-n", n.host, "addr", "add", "192.0.2.1/24", "dev", "cam0")
	n.ip("-n", n.cam, "addr", "add", "192.0.2.10/24", "dev", "cam0")
	n.ip("-n", n.cam, "addr", "add", "192.0.2.99/24", "dev", "cam0")
	for _, ns := range []string{n.host, n.cam} {
		n.ip("-n", ns, "link", "set", "cam0", "up")
	}
	return n
}

func (n *network) ip(args ...string) {
	n.t.Helper()
	out, err := exec.Command("ip", args...).CombinedOutput()
	require.NoError(n.t, err, "ip %s: %s", strings.Join(args, " "), out)
}

// act runs this program on one of the machines.
func (n *network) act(ns, what string) *exec.Cmd {
	n.t.Helper()
	self, err := os.Executable()
	require.NoError(n.t, err)
	cmd := exec.Command("ip", "netns", "exec", ns, self)
	cmd.Env = append(os.Environ(), actEnv+"="+what)
	return cmd
}

// listen listens at a machine until the test ends.
func (n *network) listen(ns string, addresses ...string) {
	n.t.Helper()
	cmd := n.act(ns, "listen "+strings.Join(addresses, " "))
	in, err := cmd.StdinPipe()
	require.NoError(n.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, cmd.Start())
	n.t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	require.Equal(n.t, "ready\n", line)
}

// reaches reports whether a machine can connect to an address.
func (n *network) reaches(ns, address string) bool {
	n.t.Helper()
	return n.act(ns, "dial "+address).Run() == nil
}

func TestIsolatedCameraAnswersTheIngestAndReachesNothingElse(t *testing.T) {
	n := newNetwork(t)
	n.listen(n.cam, "192.0.2.10:554", "192.0.2.10:80", "192.0.2.99:554")
	n.listen(n.host, "192.0.2.1:22", "192.0.2.1:554")
	others := []struct{ ns, address string }{
		{n.host, "192.0.2.10:80"}, {n.cam, "192.0.2.1:22"}, {n.cam, "192.0.2.1:554"},
		{n.host, "192.0.2.99:554"}, // the camera at another address
	}
	require.True(t, n.reaches(n.host, "192.0.2.10:554"))
	for _, o := range others {
		require.True(t, n.reaches(o.ns, o.address), "%s before", o.address)
	}

	p := NewPlan([]Camera{{
		Name: "hall", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Port: 554, mac: mac(t, "bc:ad:28:01:02:03"),
		Route: &Route{Source: netip.MustParseAddr("192.0.2.1"), Interface: "cam0"},
	}}, IsolateAll)
	path := filepath.Join(t.TempDir(), "rules.nft")
	require.NoError(t, os.WriteFile(path, []byte(p.Rules), 0o600))
	for range 2 { // loading again replaces the rules
		out, err := exec.Command("ip", "netns", "exec", n.host, "nft", "-f", path).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	require.True(t, n.reaches(n.host, "192.0.2.10:554"), "the ingest")
	for _, o := range others {
		require.False(t, n.reaches(o.ns, o.address), "%s after", o.address)
	}
}
