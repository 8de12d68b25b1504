package e2e

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport"
)

const (
	// netemEnv is set in the process with the impaired network.
	netemEnv = "SCRIM_E2E_NETEM"
	// badNetwork creates a network in which UDP goes through netem. RTSP and NATS use
	// TCP, for which loss is only delay.
	badNetwork = `ip link set lo up &&
tc qdisc add dev lo root handle 1: prio &&
tc qdisc add dev lo parent 1:3 handle 30: netem delay 0ms &&
tc filter add dev lo parent 1: protocol ip u32 match ip protocol 17 0xff flowid 1:3`
)

// TestImpairedNetwork has RTP packets lost, late and out of order.
func TestImpairedNetwork(t *testing.T) {
	if os.Getenv(netemEnv) != "" {
		underNetem(t)
		return
	}
	testenv.Need(t, testenv.Root, testenv.IPRoute, testenv.Netem)
	dir, err := programs()
	require.NoError(t, err)
	cmd := exec.CommandContext(deadline(t, 4*limit), "unshare", "--net", "sh", "-c", badNetwork+` && exec "$@"`, "sh", //nolint:gosec // this test
		os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), netemEnv+"=1", programsEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}

func underNetem(t *testing.T) {
	s := newFaultSite(t, "yard")
	ctx := deadline(t, 3*time.Minute)
	s.cameras["yard"].witness.live(ctx, time.Time{})
	netem := func(how ...string) {
		args := append([]string{"qdisc", "change", "dev", "lo", "parent", "1:3", "handle", "30:", "netem"}, how...)
		out, err := exec.CommandContext(ctx, "tc", args...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	for name, how := range map[string][]string{"5 % lost": {"loss", "5%"}, "20 % lost": {"loss", "20%"}} {
		t.Run(name, func(t *testing.T) {
			s.strike(ctx, t, fault{name: name, camera: "yard", begin: func(context.Context) { netem(how...) }, end: func(ctx context.Context) {
				from := s.losses("yard")
				s.await(ctx, "yard", "hit by losses", func(transport.Status) bool { return s.losses("yard") > from })
				netem("delay", "0ms")
			}})
		})
	}
	t.Run("late, and out of order", func(*testing.T) {
		w := s.cameras["yard"].witness
		netem("delay", "60ms", "30ms")
		w.many(ctx, w.now(), watchedLate)
		netem("delay", "0ms")
		w.live(ctx, time.Now())
	})
	s.nobodyExposed(t)
}
