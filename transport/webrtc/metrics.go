package webrtc

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"scrim/transport"
)

// states have a series in scrim_camera_state.
var states = []transport.State{
	transport.StateStarting, transport.StateLive, transport.StateBlind, transport.StateObscured, transport.StateOffline, transport.StateFailed,
}

// metric is a value of each camera.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*transport.Status) float64
}

func cameraMetric(name, help string, kind prometheus.ValueType, value func(*transport.Status) float64) metric {
	return metric{prometheus.NewDesc("scrim_camera_"+name, help, []string{"site", "camera"}, nil), kind, value}
}

func gauge(name, help string, value func(*transport.Status) float64) metric {
	return cameraMetric(name, help, prometheus.GaugeValue, value)
}

func count(name, help string, of func(*transport.Counters) uint64) metric {
	return cameraMetric(name, help, prometheus.CounterValue, func(s *transport.Status) float64 { return float64(of(&s.Counters)) })
}

// cameraMetrics are the values of each camera, from the last status of its worker.
var cameraMetrics = []metric{
	gauge("pictures_per_second", "Redacted pictures a second, slates not counted.", func(s *transport.Status) float64 { return s.FPS }),
	gauge("expected_pictures_per_second", "Pictures a second that the camera sends; scrim_camera_pictures_per_second should be as high.",
		func(s *transport.Status) float64 { return s.ExpectedFPS }),
	gauge("delay_seconds", "Time from the arrival of a picture to its sending, look-ahead included.",
		func(s *transport.Status) float64 { return float64(s.DelayMS) / 1000 }),
	gauge("selftest_ok", "1 when the last self-test passed, 0 when it failed or there was none.",
		func(s *transport.Status) float64 { return truth(s.SelfTest != nil && s.SelfTest.OK) }),
	gauge("selftest_timestamp_seconds", "Unix time of the last self-test; 0 for none.", func(s *transport.Status) float64 {
		if s.SelfTest == nil {
			return 0
		}
		return float64(s.SelfTest.At.Unix())
	}),
	gauge("warning", "1 if there is a warning for the operator; the status has its text.", func(s *transport.Status) float64 { return truth(s.Warning != "") }),
	gauge("sight_pixels", "Sight: the smallest height of a face that is found with certainty, in pixels; 0: unknown.",
		func(s *transport.Status) float64 { return sightOf(s).Size }),
	gauge("need_pixels", "Need: the height from which faces must be found, in pixels; 0: unknown.",
		func(s *transport.Status) float64 { return sightOf(s).Need }),
	count("units_received_total", "Access units received from the camera.", func(c *transport.Counters) uint64 { return c.UnitsIn }),
	count("units_dropped_total", "Access units dropped before decoding.", func(c *transport.Counters) uint64 { return c.UnitsDropped }),
	count("pictures_total", "Pictures redacted and sent.", func(c *transport.Counters) uint64 { return c.Pictures }),
	count("pictures_dropped_total", "Pictures dropped whole because a stage was late.", func(c *transport.Counters) uint64 { return c.PicturesDropped }),
	count("pictures_withheld_total", "Pictures not shown because the gate was shut.", func(c *transport.Counters) uint64 { return c.PicturesWithheld }),
	count("slates_total", "Slates sent instead of pictures.", func(c *transport.Counters) uint64 { return c.Slates }),
	count("regions_total", "Regions obscured.", func(c *transport.Counters) uint64 { return c.Regions }),
	count("reconnects_total", "Reconnections to the camera.", func(c *transport.Counters) uint64 { return c.Reconnects }),
	count("redactor_restarts_total", "Restarts of the redactor process.", func(c *transport.Counters) uint64 { return c.Restarts }),
	count("sent_bytes_total", "Bytes of redacted video.", func(c *transport.Counters) uint64 { return c.BytesOut }),
}

var faultsDesc = prometheus.NewDesc("scrim_camera_faults_total", "Faults that kept the camera from being live, by kind.",
	[]string{"site", "camera", "reason"}, nil)

var blindDesc = prometheus.NewDesc("scrim_camera_blind_seconds_total",
	"Seconds for which it was not proved that the detector sees, by reason.", []string{"site", "camera", "reason"}, nil)

var stateDesc = prometheus.NewDesc("scrim_camera_state", "1 for the current state of the camera.", []string{"site", "camera", "state"}, nil)

// gatewayMetrics are values of the gateway itself.
var gatewayMetrics = []struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*Counts) float64
}{
	{prometheus.NewDesc("scrim_gateway_viewers", "Viewers connected now.", nil, nil), prometheus.GaugeValue,
		func(c *Counts) float64 { return float64(c.Viewers) }},
	{prometheus.NewDesc("scrim_gateway_sent_bytes_total", "Bytes of video sent to viewers.", nil, nil), prometheus.CounterValue,
		func(c *Counts) float64 { return float64(c.Bytes) }},
	{prometheus.NewDesc("scrim_gateway_units_missed_total", "Units that slow viewers missed.", nil, nil), prometheus.CounterValue,
		func(c *Counts) float64 { return float64(c.Dropped) }},
	{prometheus.NewDesc("scrim_gateway_wrong_camera_total", "Units that named another camera; must be 0.", nil, nil), prometheus.CounterValue,
		func(c *Counts) float64 { return float64(c.WrongCamera) }},
}

// sightOf returns what is known of a camera's sight.
func sightOf(s *transport.Status) transport.Sight {
	if s.Sight == nil {
		return transport.Sight{}
	}
	return *s.Sight
}

func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// collector provides the metrics to Prometheus.
type collector struct{ g *Gateway }

// Describe implements prometheus.Collector.
func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range cameraMetrics {
		ch <- m.desc
	}
	for _, m := range gatewayMetrics {
		ch <- m.desc
	}
	ch <- stateDesc
	ch <- faultsDesc
	ch <- blindDesc
}

// Collect implements prometheus.Collector.
func (c collector) Collect(ch chan<- prometheus.Metric) {
	cameras, _ := c.g.statuses()
	for i := range cameras {
		s := &cameras[i]
		for _, m := range cameraMetrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), s.Site, s.Camera)
		}
		for _, f := range transport.Faults() { // all of them, so that the first one is an increase
			ch <- prometheus.MustNewConstMetric(faultsDesc, prometheus.CounterValue, float64(s.Counters.Faults[f]), s.Site, s.Camera, string(f))
		}
		for _, reason := range transport.BlindReasons() {
			ch <- prometheus.MustNewConstMetric(blindDesc, prometheus.CounterValue, s.Counters.BlindSeconds[reason], s.Site, s.Camera, string(reason))
		}
		for _, state := range states {
			ch <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, truth(s.State == state), s.Site, s.Camera, string(state))
		}
	}
	counts := c.g.Counts()
	for _, m := range gatewayMetrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&counts))
	}
}

// metricsHandler serves the metrics in Prometheus' text format.
func (g *Gateway) metricsHandler() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{g})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}
