package bus

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"scrim/transport"
	"scrim/transport/transporttest"
)

// logged is a log that tests read while it is written.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func TestARefusedLoginIsTriedAgainUntilItIsTaken(t *testing.T) {
	users := func(password string) []User { return []User{{Name: "worker", Password: password}} }
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0", Users: users("old")})
	address := srv.Addr().String()
	out := &logged{}
	c, err := Connect(t.Context(), Config{URL: srv.URL(), User: "worker", Password: "old", Log: out.logger()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	srv.Close()

	rotated := startServer(t, ServerConfig{Listen: address, Users: users("new")})
	refused := func() int { return int(c.refused.Load()) }
	require.Eventually(t, func() bool { return refused() >= 3 }, 30*time.Second, 10*time.Millisecond, "it goes on trying")
	require.Equal(t, 1, out.count("login refused"), "the reason is said, and not at every attempt")
	require.Equal(t, 1, out.count("level=ERROR"))
	assert.NotContains(t, out.buf.String(), "old")
	select {
	case <-c.Done():
		t.Fatalf("the connection was given up: %v", c.Err())
	default:
	}
	rotated.Close()

	startServer(t, ServerConfig{Listen: address, Users: users("old")})
	require.Eventually(t, c.Connected, 30*time.Second, 10*time.Millisecond)
	require.NoError(t, c.Flush(t.Context()))
	require.Eventually(t, func() bool { return refused() == 0 }, 30*time.Second, 10*time.Millisecond, "the next loss is mended quickly again")
}

func TestRefusedLoginsAreTriedLessAndLessOften(t *testing.T) {
	least := time.Duration(0)
	for n := range int64(70) {
		wait := reconnectAfter(n)
		require.GreaterOrEqual(t, wait, reconnectWait)
		require.Less(t, wait, refusedWaitMax+2*reconnectJitter)
		if n <= 5 {
			require.Greater(t, wait, least, "%d", n)
			least = wait - reconnectJitter
		}
	}
	require.Less(t, reconnectAfter(0), reconnectWait+reconnectJitter, "a lost connection is not a refusal")
	require.GreaterOrEqual(t, reconnectAfter(60), refusedWaitMax)
}

func TestPartsFitTheServersMaxPayload(t *testing.T) {
	for _, payload := range []int{MinPayload, 256 << 10, 1 << 20, MaxPayload, 8 << 20} {
		t.Run(strconv.Itoa(payload), func(t *testing.T) {
			c := connect(t, Config{Server: startServer(t, ServerConfig{MaxPayload: payload})})
			p, s := pair(t, c, c, nil)
			u := unit(7, 1, true)
			u.Regions = nil
			for range MaxRegions {
				u.Regions = append(u.Regions, unit(1, 1, true).Regions[1])
			}
			// No more parts than wait for a reader that has not begun to read.
			u.Data = bytes.Repeat([]byte{7}, min(transport.MaxUnitBytes, (maxPendingMessages-1)*(payload-maxHeaderBytes)))
			u.Data[len(u.Data)-1] = 9
			require.NoError(t, p.Publish(u))
			got := next(t, s)
			assert.True(t, bytes.Equal(u.Data, got.Data))
			assert.Len(t, got.Regions, MaxRegions)
		})
	}
}

func TestPartsFitAServerThatComesBackWithASmallerMaxPayload(t *testing.T) {
	srv := startServer(t, ServerConfig{Listen: "127.0.0.1:0"})
	address := srv.Addr().String()
	out := &logged{}
	c, err := Connect(t.Context(), Config{URL: srv.URL(), Log: out.logger()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	p, s := pair(t, c, c, nil)
	require.Zero(t, out.count("max_payload"))
	srv.Close()
	require.Eventually(t, func() bool { return !c.Connected() }, 10*time.Second, time.Millisecond)
	startServer(t, ServerConfig{Listen: address, MaxPayload: 128 << 10})
	require.Eventually(t, c.Connected, 10*time.Second, time.Millisecond)
	flush(t, c)
	u := unit(7, 1, true)
	u.Data = make([]byte, 1<<20)
	require.NoError(t, p.Publish(u))
	assert.Len(t, next(t, s).Data, 1<<20)
	require.Eventually(t, func() bool { return out.count("max_payload is small") == 1 }, 10*time.Second, time.Millisecond, "it is said that this is little")
}

func TestAServerWithTooSmallAMaxPayloadIsOneClearError(t *testing.T) {
	_, err := partBytes(MinPayload - 1)
	require.ErrorContains(t, err, "max_payload")
	size, err := partBytes(MinPayload)
	require.NoError(t, err)
	require.Equal(t, minPartBytes, size)
	size, err = partBytes(math.MaxInt64)
	require.NoError(t, err)
	require.Equal(t, MaxPartBytes, size)
}

func TestPartsOfAUnitAreBoundedTogether(t *testing.T) {
	var a assembler
	for n := 1; n <= maxParts; n++ { // each is allowed for itself
		p := &part{n: n, m: maxParts}
		p.unit.Data = make([]byte, MaxPartBytes)
		done, lost := a.add(p)
		require.Nil(t, done)
		require.LessOrEqual(t, cap(a.data), transport.MaxUnitBytes)
		if lost {
			require.Nil(t, a.data)
			return
		}
	}
	t.Fatal("a unit over the bound was put together")
}

// good is a status that keeps all bounds.
func good() transport.Status {
	return transport.Status{
		Site: site, Camera: camera, State: transport.StateLive, Detector: "yunet", Style: "veil", Source: "scene",
		Width: 1920, Height: 1080, FPS: 25, Lookahead: 30,
	}
}

func TestStatusIsCheckedAtBothEnds(t *testing.T) {
	c := embedded(t)
	got := make(chan transport.Status, 100)
	_, err := c.WatchStatus(site, func(s transport.Status) { got <- s })
	require.NoError(t, err)
	p, err := c.Publisher(site, camera, nil)
	require.NoError(t, err)
	flush(t, c)
	for name, change := range map[string]func(*transport.Status){
		"width":        func(s *transport.Status) { s.Width = transport.MaxSide + 1 },
		"no width":     func(s *transport.Status) { s.Width = -1 },
		"height":       func(s *transport.Status) { s.Height = transport.MaxSide + 1 },
		"no height":    func(s *transport.Status) { s.Height = -1 },
		"fps":          func(s *transport.Status) { s.FPS = 1001 },
		"negative fps": func(s *transport.Status) { s.FPS = -1 },
		"expected fps": func(s *transport.Status) { s.ExpectedFPS = 1001 },
		"lookahead":    func(s *transport.Status) { s.Lookahead = maxLookahead + 1 },
		"delay":        func(s *transport.Status) { s.DelayMS = maxDelayMS + 1 },
		"no delay":     func(s *transport.Status) { s.DelayMS = -1 },
		"no lookahead": func(s *transport.Status) { s.Lookahead = -1 },
	} {
		s := good()
		change(&s)
		require.Error(t, p.PublishStatus(s), name)
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, c.nc.Publish(p.status, b))
	}
	for _, unknown := range []transport.State{"", "fine", "LIVE", "li\u200bve"} {
		s := good()
		s.State = unknown
		require.Error(t, p.PublishStatus(s))
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, c.nc.Publish(p.status, b))
		s = transporttest.Receive(t, got, "status")
		require.Equal(t, transport.StateFailed, s.State, "%q from another version of the worker must not be taken for live", unknown)
		require.Equal(t, transport.FaultOther, s.Fault)
		require.Contains(t, s.Reason, "unknown state")
		require.NotContains(t, s.Reason, "\u200b")
	}
	require.Error(t, checkStatus(&transport.Status{State: transport.StateLive, FPS: math.NaN()}))
	require.Error(t, checkStatus(&transport.Status{State: transport.StateLive, FPS: math.Inf(1)}))
	require.NoError(t, p.PublishStatus(good()))
	assert.Equal(t, good(), <-got, "the first that is handed out is the good one")

	// Text is cut, whatever its sender.
	s := good()
	long := "a\nb" + strings.Repeat("é", 300)
	s.Detector, s.Style, s.Source, s.Reason, s.Warning = long, long, long, long, long
	s.Fault, s.Counters.Faults = "made up", map[transport.Fault]uint64{"made up": 7, transport.FaultLoss: 3}
	for range maxIgnored + 5 {
		s.Ignored = append(s.Ignored, long)
	}
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, c.nc.Publish(p.status, b))
	require.NoError(t, p.PublishStatus(s))
	assert.Len(t, s.Ignored, maxIgnored+5, "the caller's")
	assert.Equal(t, long, s.Ignored[0], "the caller's")
	for range 2 {
		s = <-got
		for text, limit := range map[*string]int{
			&s.Detector: maxTextBytes, &s.Style: maxTextBytes, &s.Source: maxTextBytes, &s.Reason: maxReasonBytes, &s.Warning: maxReasonBytes,
		} {
			assert.LessOrEqual(t, len(*text), limit)
			assert.True(t, strings.HasPrefix(*text, "a bé"), *text)
		}
		assert.Equal(t, transport.FaultOther, s.Fault)
		assert.Equal(t, map[transport.Fault]uint64{transport.FaultLoss: 3}, s.Counters.Faults)
		assert.Len(t, s.Ignored, maxIgnored)
		for _, text := range s.Ignored {
			assert.LessOrEqual(t, len(text), maxIgnoredBytes)
			assert.True(t, strings.HasPrefix(text, "a bé"), text)
		}
	}
}

func TestTheLargestStatusFits(t *testing.T) {
	s := good()
	long := strings.Repeat("<", 2000) // six bytes each as JSON
	s.Detector, s.Style, s.Source, s.Reason, s.Warning = long, long, long, long, long
	s.Ignored = slices.Repeat([]string{long}, maxIgnored)
	n := uint64(math.MaxUint64)
	s.Site, s.Camera, s.Epoch = strings.Repeat("s", transport.MaxNameBytes), strings.Repeat("c", transport.MaxNameBytes), n
	s.Counters = transport.Counters{
		UnitsIn: n, UnitsDropped: n, Pictures: n, PicturesDropped: n, PicturesWithheld: n, Slates: n, Regions: n, Reconnects: n, Restarts: n, BytesOut: n,
	}
	s.Counters.Faults = map[transport.Fault]uint64{}
	for _, f := range transport.Faults() {
		s.Counters.Faults[f] = n
	}
	s.Counters.BlindSeconds = map[transport.BlindReason]float64{}
	for _, r := range transport.BlindReasons() {
		s.Counters.BlindSeconds[r] = 12345678.123456789
	}
	s.BlindLastDay = s.Counters.BlindSeconds
	size := 1234.123456789
	s.Sight = &transport.Sight{
		Size: size, Painted: size, Table: size, Need: size, Why: transport.BlindNotFound, Tested: time.Now(), Warning: long, DetectSize: transport.MaxSide,
		Cols: transport.MaxSightParts, Rows: 1,
		Condition: &transport.Condition{Dark: size / 10, Median: size / 10, Bright: size / 10, Contrast: size / 10, Noise: size / 10},
	}
	for range transport.MaxSightParts {
		s.Sight.Parts = append(s.Sight.Parts, transport.SightPart{Size: size, Faces: slices.Repeat([]uint32{math.MaxUint32}, transport.FaceSizeClasses)})
	}
	s.Updated = time.Now()
	tidyStatus(&s)
	require.NoError(t, checkStatus(&s))
	b, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Less(t, len(b), maxStateBytes)
}

func TestEventIsCheckedAtBothEnds(t *testing.T) {
	c := embedded(t)
	got := make(chan transport.Event, 100)
	_, err := c.WatchEvents(site, func(e transport.Event) { got <- e })
	require.NoError(t, err)
	p, err := c.Publisher(site, camera, nil)
	require.NoError(t, err)
	flush(t, c)
	require.Error(t, p.PublishEvent(transport.Event{Site: site, Camera: camera, State: "fine"}))
	for _, unknown := range []string{`,"state":"fine"`, ""} {
		require.NoError(t, c.nc.Publish(p.events, []byte(`{"site":"plant-1","camera":"gate"`+unknown+`}`)))
		e := transporttest.Receive(t, got, "event")
		require.Equal(t, transport.StateFailed, e.State)
		require.Contains(t, e.Reason, "unknown state")
	}
	require.NoError(t, c.nc.Publish(p.events, []byte(`{"site":"plant-1","camera":"yard","state":"live"}`)))
	at := time.Unix(1700000000, 0).In(time.FixedZone("far", 3600))
	require.NoError(t, p.PublishEvent(transport.Event{Site: site, Camera: camera, State: transport.StateFailed, Reason: strings.Repeat("r", 300), Time: at}))
	e := <-got
	assert.Equal(t, transport.StateFailed, e.State)
	assert.Len(t, e.Reason, maxReasonBytes)
	assert.Equal(t, at.UTC(), e.Time)
}

// FuzzState reads what may come off the bus as a status or an event: what is
// believed keeps the bounds.
func FuzzState(f *testing.F) {
	b, err := json.Marshal(good())
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"site":"plant-1","camera":"gate","state":"failed","reason":"x\ny","time":"2024-01-01T00:00:00+23:59"}`))
	f.Add([]byte(`{"site":"plant-1","camera":"gate","state":"failed","time":"9999-12-31T23:59:59-23:59"}`))
	f.Add([]byte(`{"site":"plant-1","name":"gate","state":"live","fps":1e300,"width":-1}`))
	f.Add([]byte(`{"site":"plant-1","name":"gate","state":"live","sight":{"size":20,"need":48,"why":"too\u0000dark",` +
		`"warning":"a\nb","tested":"2024-01-01T00:00:00+23:59","cols":2,"rows":1,` +
		`"parts":[{"size":20,"faces":[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,4294967295]},{"size":0}]}}`))
	f.Add([]byte(`{"site":"plant-1","name":"gate","state":"live","sight":{"size":1e9,"cols":-1,"rows":-2,"parts":[{},{}]}}`))
	f.Add([]byte(`{"site":"plant-1","name":"gate","state":"blind","covered_by":"nobody","blind_last_day":{"too dark":-1,"too\nmuch":3,"blurred":1e300}}`))
	status := Address{Site: site, Camera: camera, Kind: KindStatus}
	events := Address{Site: site, Camera: camera, Kind: KindEvents}
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := parseStatus(status, data); err == nil {
			require.NoError(t, checkStatus(&s))
			require.Equal(t, camera, s.Camera)
			again := s
			tidyStatus(&again)
			require.Equal(t, s, again)
			for _, text := range []string{s.Detector, s.Style, s.Source, s.Reason, s.Warning} {
				require.LessOrEqual(t, len(text), maxReasonBytes)
				require.NotContains(t, text, "\n")
			}
			for reason, seconds := range s.BlindLastDay {
				require.Contains(t, transport.BlindReasons(), reason)
				require.True(t, seconds >= 0 && seconds <= maxSeconds)
			}
			_, err := json.Marshal(s)
			require.NoError(t, err)
		}
		if e, err := parseEvent(events, data); err == nil {
			require.Equal(t, camera, e.Camera)
			require.LessOrEqual(t, len(e.Reason), maxReasonBytes)
			_, err := json.Marshal(e)
			require.NoError(t, err)
		}
	})
}
