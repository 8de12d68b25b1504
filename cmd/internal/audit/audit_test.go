package audit

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/stretchr/testify/require"

	"scrim/models/testenv"
	"scrim/transport/onvif"
	"scrim/transport/onvif/onviftest"
)

func TestFlaggedVendorsAreRecognisedByNameRealmAndMAC(t *testing.T) {
	for text, want := range map[string]string{
		"Hangzhou Hikvision Digital Technology Co.,Ltd.": "Hikvision", "EZVIZ": "Hikvision", "HiLook": "Hikvision", "ANNKE": "Hikvision",
		"IP Camera(C1234)": "Hikvision sign", "DS-2CD2142FWD-I": "Hikvision sign", "LTS": "Hikvision sign", "DNVRS-Webs": "Hikvision sign",
		"Zhejiang Dahua Technology Co., Ltd.": "Dahua", "Amcrest Technologies": "Dahua", "Lorex Technology": "Dahua", "Imou": "Dahua",
		"Login to 4E03F2APAZ0A1B2": "Dahua sign", "IPC-HFW2431S-S-S2": "Dahua sign", "Dahua Rtsp Server": "Dahua",
		"HUAWEI TECHNOLOGIES CO.,LTD": "Huawei", "zte corporation": "ZTE",
		"AXIS": "", "Bosch": "", "Axis Communications AB": "", "Hanwha Techwin": "", "IP Camera": "", "Login": "", "": "",
		"imouse": "", "Dahuang": "", "Ubuntu 22.04 LTS": "", "GStreamer RTSP server": "",
	} {
		got := match(DefaultVendors(), []fact{{"realm", text}})
		switch want {
		case "":
			require.Nil(t, got, text)
		default:
			name, sign, _ := strings.Cut(want, " ")
			require.NotNil(t, got, text)
			require.Equal(t, name, got.Vendor, text)
			require.Equal(t, sign != "", got.Sign, text)
			require.Equal(t, "realm: "+text, got.Evidence)
			require.NotEmpty(t, got.Why)
		}
	}
}

func TestSiteCanReplaceTheListOfVendors(t *testing.T) {
	names, err := ReadVendors(strings.NewReader("# ours\nACME Cams # cheap\n\ndahua\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"ACME Cams", "dahua"}, names)
	v := Vendors(names)
	require.NotNil(t, match(v, []fact{{"MAC", "acme-cams Inc."}}))
	require.NotNil(t, match(v, []fact{{"MAC", "Lorex"}}), "a default vendor includes its brands")
	require.Nil(t, match(v, []fact{{"MAC", "Hikvision"}}))
	require.Nil(t, match(Vendors(nil), []fact{{"MAC", "Hikvision"}}))
	for _, bad := range []string{"\x1b[31m", strings.Repeat("x", MaxVendorName+1), "123"} {
		_, err := ReadVendors(strings.NewReader(bad))
		require.Error(t, err)
	}
}

const (
	csvList = "Registry,Assignment,Organization Name,Organization Address\nMA-L,BCAD28,\"Hangzhou Hikvision Digital Technology Co.,Ltd.\",x\n" +
		"MA-L,70B3D5,IEEE Registration Authority,x\nMA-S,70B3D5123,Acme,x\nMA-L,3CEF8C,Zhejiang Dahua Technology Co.,x\n"
	textList = "OUI/MA-L   Organization\n\nBC-AD-28   (hex)\t\tHangzhou Hikvision\n" +
		"BCAD28     (base 16)\t\tHangzhou Hikvision Digital Technology Co.,Ltd.\n\t\t\tx\n"
)

func mac(t *testing.T, s string) net.HardwareAddr {
	t.Helper()
	m, err := net.ParseMAC(s)
	require.NoError(t, err)
	return m
}

func TestOrganisationsOfMACAddressesAreRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	hik, acme := mac(t, "bc:ad:28:01:02:03"), mac(t, "70:b3:d5:12:3a:bc")
	for _, path := range []string{write("list.csv", csvList), write("list.txt", textList)} {
		o, err := ReadOUI(path, []net.HardwareAddr{hik, acme})
		require.NoError(t, err)
		require.Equal(t, "Hangzhou Hikvision Digital Technology Co.,Ltd.", o.Organisation(hik))
		require.Empty(t, o.Organisation(mac(t, "3c:ef:8c:00:00:00")), "it was not requested")
	}
	write("oui.csv", csvList)
	o, err := ReadOUI(dir, []net.HardwareAddr{acme})
	require.NoError(t, err)
	require.Equal(t, "Acme", o.Organisation(acme), "the finest block")
	for _, path := range []string{filepath.Join(dir, "none"), write("empty", ""), write("other.txt", "hello, this is no list\n"), t.TempDir()} {
		_, err := ReadOUI(path, nil)
		require.Error(t, err, path)
	}
	require.Equal(t, DefaultOUI, testenv.Path(t, testenv.IEEEData))
	o, err = ReadOUI(DefaultOUI, []net.HardwareAddr{hik})
	require.NoError(t, err)
	require.Contains(t, o.Organisation(hik), "Hikvision")
	require.True(t, private(mac(t, "02:00:00:00:00:01")))
}

// guarded is an RTSP server that requires a login.
type guarded struct{ realm string }

// OnDescribe implements gortsplib.ServerHandlerOnDescribe.
func (g guarded) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{"WWW-Authenticate": {`Digest realm="` + g.realm + `", nonce="a"`}}}, nil, nil
}

func serveRTSP(t *testing.T, realm string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &gortsplib.Server{Handler: guarded{realm}, RTSPAddress: ln.Addr().String(), Listen: func(string, string) (net.Listener, error) { return ln, nil }}
	require.NoError(t, s.Start())
	t.Cleanup(s.Close)
	return s.RTSPAddress
}

func TestCamerasAreQueriedOnceWithTheirOwnCredentials(t *testing.T) {
	d := &onviftest.Device{Manufacturer: "EZVIZ", Model: "=A1", Firmware: "1", User: "viewer", Password: "hunter2"}
	u, err := url.Parse(d.Start(t))
	require.NoError(t, err)
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	require.NoError(t, err)
	target := func(name, password string) Target {
		return Target{Name: name, URL: &url.URL{Scheme: "rtsp", Host: serveRTSP(t, "Login to 42ABCDEF"), Path: "/x", User: url.UserPassword("viewer", password)}}
	}
	r, err := Run(t.Context(), []Target{target("hall", "hunter2"), target("gate", "hunter3")},
		Options{Vendors: DefaultVendors(), OUI: filepath.Join(t.TempDir(), "none"), ONVIFPort: uint16(port)})
	require.NoError(t, err)
	hall, gate := &r.Cameras[0], &r.Cameras[1]
	require.Equal(t, "EZVIZ", hall.Vendor)
	require.Equal(t, Flag{Vendor: "Hikvision", Why: hall.Flag.Why, Evidence: "ONVIF manufacturer: EZVIZ"}, *hall.Flag)
	require.Equal(t, []string{"Login to 42ABCDEF"}, gate.Realms)
	require.Equal(t, "Dahua", gate.Flag.Vendor)
	require.True(t, gate.Flag.Sign)
	require.Contains(t, strings.Join(gate.Notes, "\n"), "credentials refused")
	require.Contains(t, r.Notes[0], "ieee-data")
	_, logins := d.Asked()
	require.Equal(t, 2, logins, "one each")

	r.Plan = NewPlan(r.Cameras, IsolateFlagged)
	require.Empty(t, r.Plan.Rules, "this host's own addresses are not isolated")
	var table, sheet bytes.Buffer
	require.NoError(t, r.WriteTable(&table))
	require.NoError(t, r.WriteCSV(&sheet))
	data, err := json.Marshal(r)
	require.NoError(t, err)
	for _, out := range []string{table.String(), sheet.String(), string(data)} {
		require.NotContains(t, out, "hunter")
		require.Contains(t, out, "EZVIZ")
	}
	require.Contains(t, table.String(), "2 of 2 cameras are of flagged vendors")
	rows, err := csv.NewReader(&sheet).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Contains(t, rows[1], "'=A1")
}

func TestQuietAuditSendsNothing(t *testing.T) {
	r, err := Run(t.Context(), []Target{{Name: "hall", URL: &url.URL{Scheme: "rtsps", Host: "127.0.0.1:1"}}}, Options{Quiet: true, Vendors: DefaultVendors()})
	require.NoError(t, err)
	c := &r.Cameras[0]
	require.Empty(t, c.Notes)
	require.True(t, c.Route.Local)
	require.Equal(t, uint16(1), c.Port)
	require.Nil(t, c.Flag)
}

// site returns all kinds of cameras.
func site(t *testing.T) []Camera {
	t.Helper()
	here, here6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	flag := &Flag{Vendor: "Hikvision"}
	return []Camera{
		{Name: "hall", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("fe80::1%eth0")}, Port: 554,
			Route: &Route{Source: here, Interface: "eth0"}, Flag: flag, mac: mac(t, "bc:ad:28:01:02:03"), Device: onvif.Information{Model: "A1"}},
		{Name: "gate", Addresses: []netip.Addr{netip.MustParseAddr("2001:db8::10")}, Port: 322, UDP: true, Route: &Route{Source: here6}, Flag: flag},
		{Name: "yard", Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.7")}, Port: 8554, UDP: true,
			Route: &Route{Source: here, Gateway: netip.MustParseAddr("192.0.2.254")}, Flag: flag},
		{Name: "good", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.11")}, Port: 554, Route: &Route{Source: here}},
		{Name: "lost", Flag: flag},
		{Name: "self", Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Route: &Route{Source: netip.MustParseAddr("127.0.0.1"), Local: true}, Flag: flag},
	}
}

func TestPlanIsolatesFlaggedCamerasAndClaimsNoMore(t *testing.T) {
	p := NewPlan(site(t), IsolateFlagged)
	require.Equal(t, []string{"hall", "gate", "yard"}, p.Cameras)
	require.Equal(t, []string{"hall", "gate", "yard", "good"}, NewPlan(site(t), IsolateAll).Cameras)
	require.Nil(t, NewPlan(site(t), IsolateNone))

	// If a camera cannot be isolated, the reason is a note.
	local := []Camera{{Name: "own", Flag: &Flag{Vendor: "x"}, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
		Route: &Route{Source: netip.MustParseAddr("192.0.2.1"), Local: true}}}
	r := Result{Cameras: local, Plan: NewPlan(local, IsolateFlagged)}
	var text strings.Builder
	require.NoError(t, r.WriteTable(&text))
	require.Contains(t, text.String(), "note: camera own is not in the plan: its address is this host's own\n")
	require.NotContains(t, text.String(), RulesFile)
	for _, want := range []string{
		"ip saddr 192.0.2.10 ip daddr 192.0.2.1 tcp sport 554 ct state established accept",
		"elements = { 192.0.2.10, 198.51.100.7 }", "ip saddr @cameras4 counter drop", "ether saddr @macs counter drop", "bc:ad:28:01:02:03", "fe80::1",
	} {
		require.Contains(t, p.Rules, want)
	}
	require.NotContains(t, p.Rules, "192.0.2.11")
	require.NotContains(t, p.Rules, "%")
	notes := strings.Join(p.Notes, "\n")
	require.Contains(t, notes, "does not make it compliant")
	require.Contains(t, notes, "until it is replaced")
	for _, want := range []string{"yard is behind the router 192.0.2.254", "lost is not in the plan", "self is not in the plan"} {
		require.Contains(t, notes, want)
	}
	require.Contains(t, strings.Join(strings.Fields(strings.ReplaceAll(p.Rules, "#", "")), " "), Disclaimer)
}

func TestNftAcceptsTheRules(t *testing.T) {
	nft := testenv.Path(t, testenv.Nft)
	testenv.Need(t, testenv.Root, testenv.NFTables)
	for _, which := range []Isolate{IsolateFlagged, IsolateAll} {
		path := filepath.Join(t.TempDir(), "rules.nft")
		require.NoError(t, os.WriteFile(path, []byte(NewPlan(site(t), which).Rules), 0o600))
		out, err := exec.Command(nft, "-c", "-f", path).CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

func TestSystemdAcceptsTheDropIn(t *testing.T) {
	analyze := testenv.Path(t, testenv.Systemd)
	testenv.Need(t, testenv.Nft) // the drop-in runs /usr/sbin/nft
	dir := t.TempDir()
	unit := filepath.Join(dir, "scrim.service")
	require.NoError(t, os.WriteFile(unit, []byte("[Service]\nExecStart=/bin/true\n"), 0o600))
	require.NoError(t, os.Mkdir(unit+".d", 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(unit+".d", "isolate-cameras.conf"), []byte(NewPlan(site(t), IsolateAll).DropIn), 0o600))
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "isolate-cameras.conf", string(out))
}

func FuzzReadOUI(f *testing.F) {
	f.Add([]byte(csvList))
	f.Add([]byte(textList))
	f.Add([]byte("Registry,\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := &OUI{wanted: map[string]bool{"BCAD28": true}, found: map[string]string{}}
		_ = o.read(bytes.NewReader(data))
		require.NotContains(t, o.Organisation(net.HardwareAddr{0xbc, 0xad, 0x28, 0, 0, 0}), "\n")
	})
}
