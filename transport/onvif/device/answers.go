package device

import "encoding/xml"

// The answers, with elements in the order of the schemas. Elements without a namespace
// have that of their parent.

type dateAndTimeXML struct {
	XMLName xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetSystemDateAndTimeResponse"`
	System  struct {
		Type     string `xml:"http://www.onvif.org/ver10/schema DateTimeType"`
		Daylight bool   `xml:"http://www.onvif.org/ver10/schema DaylightSavings"`
		Zone     struct {
			TZ string `xml:"TZ"`
		} `xml:"http://www.onvif.org/ver10/schema TimeZone"`
		UTC struct {
			Time struct {
				Hour, Minute, Second int
			} `xml:"Time"`
			Date struct {
				Year, Month, Day int
			} `xml:"Date"`
		} `xml:"http://www.onvif.org/ver10/schema UTCDateTime"`
	} `xml:"SystemDateAndTime"`
}

type informationXML struct {
	XMLName      xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetDeviceInformationResponse"`
	Manufacturer string   `xml:"Manufacturer"`
	Model        string   `xml:"Model"`
	Firmware     string   `xml:"FirmwareVersion"`
	Serial       string   `xml:"SerialNumber"`
	Hardware     string   `xml:"HardwareId"`
}

type capabilitiesXML struct {
	XMLName xml.Name `xml:"http://www.onvif.org/ver10/device/wsdl GetCapabilitiesResponse"`
	All     struct {
		Device struct {
			XAddr string `xml:"XAddr"`
		} `xml:"http://www.onvif.org/ver10/schema Device"`
		Media struct {
			XAddr     string `xml:"XAddr"`
			Streaming struct {
				Multicast bool `xml:"RTPMulticast"`
				TCP       bool `xml:"RTP_TCP"`
				RTSP      bool `xml:"RTP_RTSP_TCP"`
			} `xml:"StreamingCapabilities"`
		} `xml:"http://www.onvif.org/ver10/schema Media"`
	} `xml:"Capabilities"`
}

type servicesXML struct {
	XMLName  xml.Name     `xml:"http://www.onvif.org/ver10/device/wsdl GetServicesResponse"`
	Services []serviceXML `xml:"Service"`
}

type serviceXML struct {
	Namespace string     `xml:"Namespace"`
	XAddr     string     `xml:"XAddr"`
	Version   versionXML `xml:"Version"`
}

type versionXML struct {
	Major int `xml:"http://www.onvif.org/ver10/schema Major"`
	Minor int `xml:"http://www.onvif.org/ver10/schema Minor"`
}

type profilesXML struct {
	XMLName  xml.Name     `xml:"http://www.onvif.org/ver10/media/wsdl GetProfilesResponse"`
	Profiles []profileXML `xml:"Profiles"`
}

type oneProfileXML struct {
	XMLName xml.Name   `xml:"http://www.onvif.org/ver10/media/wsdl GetProfileResponse"`
	Profile profileXML `xml:"Profile"`
}

type profileXML struct {
	Token   string     `xml:"token,attr"`
	Fixed   bool       `xml:"fixed,attr"`
	Name    string     `xml:"http://www.onvif.org/ver10/schema Name"`
	Source  sourceXML  `xml:"http://www.onvif.org/ver10/schema VideoSourceConfiguration"`
	Encoder encoderXML `xml:"http://www.onvif.org/ver10/schema VideoEncoderConfiguration"`
}

type sourceXML struct {
	Token    string    `xml:"token,attr"`
	Name     string    `xml:"Name"`
	UseCount int       `xml:"UseCount"`
	Source   string    `xml:"SourceToken"`
	Bounds   boundsXML `xml:"Bounds"`
}

type boundsXML struct {
	X      int `xml:"x,attr"`
	Y      int `xml:"y,attr"`
	Width  int `xml:"width,attr"`
	Height int `xml:"height,attr"`
}

type resolutionXML struct{ Width, Height int }

type encoderXML struct {
	Token      string        `xml:"token,attr"`
	Name       string        `xml:"Name"`
	UseCount   int           `xml:"UseCount"`
	Encoding   string        `xml:"Encoding"`
	Resolution resolutionXML `xml:"Resolution"`
	Quality    float64       `xml:"Quality"`
	Rate       struct {
		FPS      int `xml:"FrameRateLimit"`
		Interval int `xml:"EncodingInterval"`
		Bitrate  int `xml:"BitrateLimit"`
	} `xml:"RateControl"`
	H264 struct {
		GOP     int    `xml:"GovLength"`
		Profile string `xml:"H264Profile"`
	} `xml:"H264"`
	Multicast struct {
		Address struct {
			Type string `xml:"Type"`
			IPv4 string `xml:"IPv4Address"`
		} `xml:"Address"`
		Port      int  `xml:"Port"`
		TTL       int  `xml:"TTL"`
		AutoStart bool `xml:"AutoStart"`
	} `xml:"Multicast"`
	Timeout string `xml:"SessionTimeout"`
}

type videoSourcesXML struct {
	XMLName xml.Name         `xml:"http://www.onvif.org/ver10/media/wsdl GetVideoSourcesResponse"`
	Sources []videoSourceXML `xml:"VideoSources"`
}

type videoSourceXML struct {
	Token      string        `xml:"token,attr"`
	FPS        float64       `xml:"http://www.onvif.org/ver10/schema Framerate"`
	Resolution resolutionXML `xml:"http://www.onvif.org/ver10/schema Resolution"`
}

type uriXML struct {
	XMLName xml.Name
	URI     mediaURIXML `xml:"MediaUri"`
}

type mediaURIXML struct {
	URI          string `xml:"http://www.onvif.org/ver10/schema Uri"`
	AfterConnect bool   `xml:"http://www.onvif.org/ver10/schema InvalidAfterConnect"`
	AfterReboot  bool   `xml:"http://www.onvif.org/ver10/schema InvalidAfterReboot"`
	Timeout      string `xml:"http://www.onvif.org/ver10/schema Timeout"`
}
