package config

import (
	"net/netip"
	"time"
)

// Config is the whole file. Parse and Load return it complete: with defaults
// filled in and every camera holding the settings that apply to it.
type Config struct {
	// Site is the name of the site; it is part of every NATS subject.
	// Default: local.
	Site Name `yaml:"site"`
	// Model is the detector: auto, the name of a model that `scrim models list`
	// shows, or the path of an ONNX file that is trusted as it is. A path has a
	// slash or ends in ".onnx". Default: auto, the model that is built in, unless it
	// exposes more faces on clean pictures than yunet-n and that one is there.
	Model Model `yaml:"model"`
	// RequireSandbox refuses to run cameras where one of the protections that
	// confine their redactors does not hold; `scrim sandbox` lists them.
	// Default: false.
	RequireSandbox bool `yaml:"require_sandbox"`
	// NATS says which NATS server carries the video.
	NATS NATS `yaml:"nats"`
	// HTTP is where viewers connect.
	HTTP HTTP `yaml:"http"`
	// Audit is for `scrim audit`.
	Audit Audit `yaml:"audit"`
	// RTSPServer is where recorders connect.
	RTSPServer RTSPServer `yaml:"rtsp_server"`
	// Defaults apply to every camera that does not say otherwise.
	Defaults Settings `yaml:"defaults"`
	// Cameras of the site. A gateway needs none.
	Cameras []Camera `yaml:"cameras"`

	// notes are warnings about how it was said.
	notes []string
}

// NATS says which NATS server carries the video. Without url a server is
// embedded in the process; it takes connections from outside only where
// listen is set.
type NATS struct {
	// URL of an external server, or several separated by commas:
	// nats://host:4222 or tls://host:4222.
	URL NATSURLs `yaml:"url"`
	// Listen is the address at which the embedded server takes connections of
	// gateways elsewhere; they may read, and publish nothing.
	Listen Address `yaml:"listen"`
	// User and Password authenticate to the external server, or are what the
	// embedded one asks of connections from outside.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// HTTP is where viewers connect.
type HTTP struct {
	// Listen is the address of the page, the API and WHEP.
	// Default: 127.0.0.1:8080.
	Listen Address `yaml:"listen"`
	// Token must be shown by every viewer (as a bearer token). Empty: everyone
	// who reaches Listen may watch.
	Token Secret `yaml:"token"`
	// Hosts are the names by which viewers call this machine, such as
	// scrim.example.org. Without a token other names are refused; addresses and
	// localhost never are.
	Hosts []string `yaml:"hosts"`
	// AllowOrigins are the other sites whose pages may show the cameras, such as
	// https://wall.example.org; "*" is every site. Default: "*" where a token is
	// asked for, which no page has by itself, else none.
	AllowOrigins []Origin `yaml:"allow_origins"`
	// ICEServers are offered to viewers, in order. The gateway itself talks to
	// none of them.
	ICEServers []ICEServer `yaml:"ice_servers"`
	// PublicIPs are the addresses at which viewers reach this machine when they
	// are not its own, such as behind NAT.
	PublicIPs []netip.Addr `yaml:"public_ips"`
	// UDPPort carries all media. Default: 0, any free port per viewer.
	UDPPort Port `yaml:"udp_port"`
}

// RTSPServer serves the redacted cameras again as cameras, for recorders and video
// management systems: rtsp://HOST:PORT/CAMERA.
type RTSPServer struct {
	// Listen is the address of the RTSP server, such as 127.0.0.1:8554. Default:
	// none, nothing is served.
	Listen Address `yaml:"listen"`
	// UDPPort is an even port for RTP over UDP; the next one is used as well.
	// Default: 0, two free ones. With tls there is no UDP.
	UDPPort Port `yaml:"udp_port"`
	// TLS makes it rtsps://.
	TLS TLS `yaml:"tls"`
	// ONVIF is the address at which an ONVIF device tells of the cameras, with the
	// same users and tls. Default: none.
	ONVIF Address `yaml:"onvif"`
	// MaxSessions bounds the clients at a time. Default: 100.
	MaxSessions Count `yaml:"max_sessions"`
	// Users may watch, by Digest. Needed where other machines reach Listen.
	Users []ReserveUser `yaml:"users"`
}

// TLS is a server's certificate.
type TLS struct {
	// Cert and Key are files in PEM form.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// ReserveUser is somebody, or a recorder, who may watch cameras.
type ReserveUser struct {
	// Name and Password are shown by Digest.
	Name     string `yaml:"name" schema:"required"`
	Password Secret `yaml:"password" schema:"required"`
	// Cameras that the user may watch. Default: all.
	Cameras []Name `yaml:"cameras"`
}

// ICEServer is a STUN or TURN server that viewers may use.
type ICEServer struct {
	// URL is stun:host:port, turn:host:port or turns:host:port, with
	// ?transport=udp or tcp where wanted.
	URL ICEURL `yaml:"url" schema:"required"`
	// User and Password are for TURN. Viewers get to see them.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// Camera is one camera of the site.
type Camera struct {
	// Name is unique within the site; it is part of NATS subjects and URLs.
	Name Name `yaml:"name" schema:"required"`
	// URL is where the camera's stream is: rtsp:// or rtsps://. It is best
	// without user and password; put those beside it.
	URL CameraURL `yaml:"url" schema:"required"`
	// User and Password authenticate to the camera.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// Zones are parts of its picture, at most 16.
	Zones []Zone `yaml:"zones"`
	// Settings of this camera. In the file their keys stand directly in the
	// camera.
	Settings `yaml:",inline"`
}

// Settings are what can be said for all cameras and for each.
type Settings struct {
	// Transport is how RTP packets come from the camera: tcp (within the RTSP
	// connection), udp, or multicast. Default: tcp.
	Transport Transport `yaml:"transport"`
	// AllowBasic lets the password be sent in the clear to a camera that knows
	// no better, over plain rtsp. Default: false.
	AllowBasic bool `yaml:"allow_basic"`
	// TLS says whose certificate is taken from a camera with rtsps://.
	TLS CameraTLS `yaml:"tls"`
	// Detect says how faces are found.
	Detect Detect `yaml:"detect"`
	// Lookahead is by how many pictures the output lags, 0 to 30, so that a face
	// is covered already in the pictures before it was first found. Default: 0.
	Lookahead Lookahead `yaml:"lookahead"`
	// Obscure says how they are made unrecognisable.
	Obscure Obscure `yaml:"obscure"`
	// Encode says how the redacted video is coded.
	Encode Encode `yaml:"encode"`
}

// Detect says how faces are found.
type Detect struct {
	// Engine is what runs the detector's network: scrim, opencv, or auto, which is
	// scrim where it can run the model. Default: auto.
	Engine Engine `yaml:"engine"`
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32. Larger finds smaller faces and costs more. Default: 640.
	Size DetectSize `yaml:"size"`
	// Threshold is the score from which on a candidate counts as a face. It is
	// low on purpose: a needless blur costs little, a missed face everything.
	// Default: 0.3.
	Threshold Threshold `yaml:"threshold"`
	// Tiles looks at parts of the picture in their own size, too, for faces that
	// are too small for Size: from 12 pixels. It costs about ten times as much in
	// 1080p, less where little moves. Default: false.
	Tiles bool `yaml:"tiles"`
	// SkipUnchanged inspects only the parts of a picture that have changed, and all of it
	// at least once a second. Default: true.
	SkipUnchanged bool `yaml:"skip_unchanged"`
}

// Obscure says how faces are made unrecognisable.
type Obscure struct {
	// Style is veil, blur, mosaic or fill. Default: veil.
	Style Style `yaml:"style"`
	// Padding is added left, right and below a face, as a fraction of its size;
	// PaddingTop above it. Defaults: 0.3 and 0.5.
	Padding    Padding `yaml:"padding"`
	PaddingTop Padding `yaml:"padding_top"`
	// Cells along the longer side of a region, for blur and mosaic. Default: 5.
	Cells Cells `yaml:"cells"`
	// Cosmetic declares that it is acceptable that faces can be recovered; it
	// admits weaker settings, and viewers are shown it. Default: false.
	Cosmetic bool `yaml:"cosmetic"`
}

// Encode says how the redacted video is coded.
type Encode struct {
	// Bitrate is the ceiling, such as 4Mbit/s or 800kbit/s. Default: auto, by
	// picture size.
	Bitrate Bitrate `yaml:"bitrate"`
	// Preset is x264's, from ultrafast to medium. Default: ultrafast.
	Preset Preset `yaml:"preset"`
	// KeyframeInterval is the longest time between key frames, 250ms to 10s.
	// Default: 2s.
	KeyframeInterval Duration `yaml:"keyframe_interval"`
}

// Default returns the configuration of an empty file.
func Default() *Config {
	return &Config{
		Site:       "local",
		Model:      ModelAuto,
		HTTP:       HTTP{Listen: "127.0.0.1:8080"},
		RTSPServer: RTSPServer{MaxSessions: 100},
		Defaults: Settings{
			Transport: TransportTCP,
			Detect:    Detect{Engine: EngineAuto, Size: 640, Threshold: 0.3, SkipUnchanged: true},
			Obscure:   Obscure{Style: StyleVeil, Padding: 0.3, PaddingTop: 0.5, Cells: 5},
			Encode:    Encode{Preset: "ultrafast", KeyframeInterval: Duration(2 * time.Second)},
		},
	}
}
