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
	// shows, or the path of an ONNX file, which is trusted without a check. A path has a
	// slash or ends in ".onnx". Default: auto, the built-in model, or yunet-n where it
	// is installed and exposes fewer faces on clean pictures.
	Model Model `yaml:"model"`
	// RequireSandbox refuses to run cameras unless all protections that confine the
	// redactors are in force; `scrim sandbox` lists them.
	// Default: false.
	RequireSandbox bool `yaml:"require_sandbox"`
	// NATS is the NATS server that carries the video.
	NATS NATS `yaml:"nats"`
	// HTTP is the server for viewers: the page, the API and WHEP.
	HTTP HTTP `yaml:"http"`
	// Audit holds the settings of `scrim audit`.
	Audit Audit `yaml:"audit"`
	// RTSPServer is the server for recorders.
	RTSPServer RTSPServer `yaml:"rtsp_server"`
	// Defaults apply to every camera that does not override them.
	Defaults Settings `yaml:"defaults"`
	// Cameras are the cameras of the site. A gateway needs none.
	Cameras []Camera `yaml:"cameras"`

	// notes are warnings about variables that set nothing.
	notes []string
}

// NATS is the NATS server that carries the video. Without url a server is embedded
// in the process; it accepts connections from outside only if listen is set.
type NATS struct {
	// URL is the address of an external server, or several separated by commas:
	// nats://host:4222 or tls://host:4222.
	URL NATSURLs `yaml:"url"`
	// Listen is the address at which the embedded server accepts gateways on other
	// machines. They may subscribe but not publish.
	Listen Address `yaml:"listen"`
	// User and Password authenticate to the external server. With listen, they are
	// what the embedded server requires of connections from outside.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// HTTP is the server for viewers: the page, the API and WHEP.
type HTTP struct {
	// Listen is the address of the page, the API and WHEP.
	// Default: 127.0.0.1:8080.
	Listen Address `yaml:"listen"`
	// Token is the bearer token that every viewer must present. Default: none, anyone
	// who reaches Listen may watch.
	Token Secret `yaml:"token"`
	// Hosts are the host names that viewers use for this machine, such as
	// scrim.example.org. Without a token, requests for other names are refused;
	// IP addresses and localhost are always accepted.
	Hosts []string `yaml:"hosts"`
	// AllowOrigins are the other web sites whose pages may show the cameras, such as
	// https://wall.example.org; "*" is every site. Default: "*" if a token is set,
	// which a foreign page does not know; otherwise none.
	AllowOrigins []Origin `yaml:"allow_origins"`
	// ICEServers are offered to viewers, in this order. The gateway itself does not
	// use them.
	ICEServers []ICEServer `yaml:"ice_servers"`
	// PublicIPs are the addresses at which viewers reach this machine if they differ
	// from its own, such as behind NAT.
	PublicIPs []netip.Addr `yaml:"public_ips"`
	// UDPPort is the UDP port for all media. Default: 0, any free port per viewer.
	UDPPort Port `yaml:"udp_port"`
}

// RTSPServer serves the redacted video as rtsp://HOST:PORT/CAMERA to recorders and
// video management systems.
type RTSPServer struct {
	// Listen is the address of the RTSP server, such as 127.0.0.1:8554. Default:
	// none, the server is off.
	Listen Address `yaml:"listen"`
	// UDPPort is the even port for RTP over UDP; RTCP uses the next one.
	// Default: 0, any two free ports. With tls, UDP is off.
	UDPPort Port `yaml:"udp_port"`
	// TLS serves rtsps:// instead of rtsp://.
	TLS TLS `yaml:"tls"`
	// ONVIF is the address of an ONVIF device that lists the cameras, with the same
	// users and tls. Default: none.
	ONVIF Address `yaml:"onvif"`
	// MaxSessions is the maximum number of concurrent clients. Default: 100.
	MaxSessions Count `yaml:"max_sessions"`
	// Users are the accounts that may watch, by Digest authentication. They are
	// required if other machines can reach Listen.
	Users []RTSPServerUser `yaml:"users"`
}

// TLS is a server's certificate and its key.
type TLS struct {
	// Cert and Key are PEM files.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// RTSPServerUser is the account of a recorder or a person.
type RTSPServerUser struct {
	// Name and Password are the Digest credentials.
	Name     string `yaml:"name" schema:"required"`
	Password Secret `yaml:"password" schema:"required"`
	// Cameras are those that the user may watch. Default: all.
	Cameras []Name `yaml:"cameras"`
}

// ICEServer is a STUN or TURN server that viewers may use.
type ICEServer struct {
	// URL is stun:host:port, turn:host:port or turns:host:port; the last two may end
	// in ?transport=udp or ?transport=tcp.
	URL ICEURL `yaml:"url" schema:"required"`
	// User and Password are for TURN. They are sent to viewers.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// Camera is one camera of the site.
type Camera struct {
	// Name is unique within the site; it is part of NATS subjects and URLs.
	Name Name `yaml:"name" schema:"required"`
	// URL is the address of the camera's stream, rtsp:// or rtsps://. Put user and
	// password into their own keys, not into the URL.
	URL CameraURL `yaml:"url" schema:"required"`
	// User and Password authenticate to the camera.
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	// Zones are parts of the picture with rules of their own, at most 16.
	Zones []Zone `yaml:"zones"`
	// Settings of this camera. In the file, their keys are keys of the camera.
	Settings `yaml:",inline"`
}

// Settings can be set for all cameras, in defaults, and for each camera.
type Settings struct {
	// Transport carries the camera's RTP packets: tcp (within the RTSP connection),
	// udp, or multicast. Default: tcp.
	Transport Transport `yaml:"transport"`
	// AllowBasic allows Basic authentication over plain rtsp://, which sends the
	// password in the clear, for cameras without Digest. Default: false.
	AllowBasic bool `yaml:"allow_basic"`
	// TLS decides which certificates of rtsps:// cameras are accepted.
	TLS CameraTLS `yaml:"tls"`
	// Detect is how faces are found.
	Detect Detect `yaml:"detect"`
	// Cover is what is obscured: faces; people, that is their bodies, too, and what moves
	// with them; or motion, everything that differs from the learned background.
	// Default: faces.
	Cover Cover `yaml:"cover"`
	// Absorb is how long what has moved and stands still stays covered before it counts
	// as background, at least 10s; 0: forever. Default: 10m.
	Absorb AbsorbTime `yaml:"absorb"`
	// Need is the height from which on faces must be found, in pixels, such as 48px, or of
	// the picture's height, such as 5%, and then at least 20 pixels. A camera that sees
	// worse is blind. Default: 5%.
	Need Need `yaml:"need"`
	// WhenBlind is what a blind camera shows: motion (its picture with everything covered
	// that moves), slate, or warn (its picture; only with obscure.cosmetic).
	// Default: motion.
	WhenBlind WhenBlind `yaml:"when_blind"`
	// SightInterval is the time between two sight tests, 1s to 1m. Default: 10s.
	SightInterval SightInterval `yaml:"sight_interval"`
	// Rotate is by how many degrees the picture must be turned clockwise to be upright:
	// 0, 90, 180 or 270. A camera on its side whose picture shows heads on the left has 90, one
	// that hangs upside down 180. Default: 0.
	Rotate Rotation `yaml:"rotate"`
	// RotateView turns the video as well. With false, only the detector sees the
	// picture upright. Zones are always those of the video as viewers see it.
	// Default: true.
	RotateView bool `yaml:"rotate_view"`
	// Lookahead is the number of pictures, 0 to 30, by which the output is delayed so
	// that a face is covered in the pictures before it is first found. Default: 0.
	Lookahead Lookahead `yaml:"lookahead"`
	// Obscure is how faces are made unrecognisable.
	Obscure Obscure `yaml:"obscure"`
	// Encode is how the redacted video is coded.
	Encode Encode `yaml:"encode"`
}

// Detect is how faces are found.
type Detect struct {
	// Engine runs the detector's network: scrim, opencv, or auto, which uses scrim if
	// it can run the model. Default: auto.
	Engine Engine `yaml:"engine"`
	// Size is the longer side of the detector's input in pixels, a multiple of
	// 32. Larger finds smaller faces and costs more. Default: 640.
	Size DetectSize `yaml:"size"`
	// Threshold is the minimum score of a face. It is low on purpose: a false
	// detection costs little, a missed face everything. Default: 0.3.
	Threshold Threshold `yaml:"threshold"`
	// Tiles also inspects the picture in tiles at full resolution, which finds faces
	// from 12 pixels. It costs about ten times as much in 1080p, less if little moves.
	// Default: false.
	Tiles bool `yaml:"tiles"`
	// SkipUnchanged inspects only the parts of a picture that changed, and the whole
	// picture at least once a second. Default: true.
	SkipUnchanged bool `yaml:"skip_unchanged"`
}

// Obscure is how faces are made unrecognisable.
type Obscure struct {
	// Style is veil, blur, mosaic or fill. Default: veil.
	Style Style `yaml:"style"`
	// Padding is added to the left, right and bottom of a face, as a fraction of its
	// size; PaddingTop to its top. Defaults: 0.3 and 0.5.
	Padding    Padding `yaml:"padding"`
	PaddingTop Padding `yaml:"padding_top"`
	// Cells is the number of cells along the longer side of a region, for blur and mosaic. Default: 5.
	Cells Cells `yaml:"cells"`
	// Cosmetic accepts that faces can be recovered. It allows weaker settings, and the
	// page shows it to viewers. Default: false.
	Cosmetic bool `yaml:"cosmetic"`
}

// Encode is how the redacted video is coded.
type Encode struct {
	// Bitrate is the maximum bit rate, such as 4Mbit/s or 800kbit/s. Default: auto, by
	// picture size.
	Bitrate Bitrate `yaml:"bitrate"`
	// Preset is the x264 preset, from ultrafast to medium. Default: ultrafast.
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
			Transport: TransportTCP, RotateView: true,
			Detect: Detect{Engine: EngineAuto, Size: 640, Threshold: 0.3, SkipUnchanged: true},
			Cover:  CoverFaces, Absorb: AbsorbTime(10 * time.Minute), Need: Need{Percent: 5}, WhenBlind: WhenBlindMotion,
			SightInterval: SightInterval(10 * time.Second),
			Obscure:       Obscure{Style: StyleVeil, Padding: 0.3, PaddingTop: 0.5, Cells: 5},
			Encode:        Encode{Preset: "ultrafast", KeyframeInterval: Duration(2 * time.Second)},
		},
	}
}
