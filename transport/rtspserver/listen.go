package rtspserver

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// retryListener continues after temporary errors, such as too many open files, which
// would end gortsplib's server.
type retryListener struct{ net.Listener }

// acceptPause is the pause before the next attempt.
const acceptPause = 50 * time.Millisecond

// Accept waits for a connection.
func (l retryListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		time.Sleep(acceptPause)
	}
}

// pairAttempts bounds the search for two free ports.
const pairAttempts = 50

// openUDP opens the two UDP sockets for gortsplib, at the address of the listener.
func (s *Server) openUDP() error {
	host, _, err := net.SplitHostPort(s.o.Listener.Addr().String())
	if err != nil {
		return fmt.Errorf("RTSP: %w", err)
	}
	attempts := 1
	if s.o.UDPPort == 0 {
		attempts = pairAttempts
	}
	var rtp, rtcp net.PacketConn
	for range attempts {
		if rtp, rtcp, err = pair(host, s.o.UDPPort); err == nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("RTSP: UDP: %w; choose another `udp_port`", err)
	}
	s.rtsp.UDPRTPAddress, s.rtsp.UDPRTCPAddress = rtp.LocalAddr().String(), rtcp.LocalAddr().String()
	s.rtsp.ListenPacket = func(_, address string) (net.PacketConn, error) {
		if address == rtp.LocalAddr().String() {
			return rtp, nil
		}
		return rtcp, nil
	}
	return nil
}

// pair opens an even port and the next one.
func pair(host string, port int) (rtp, rtcp net.PacketConn, err error) {
	if rtp, err = net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
		return nil, nil, err
	}
	port = rtp.LocalAddr().(*net.UDPAddr).Port
	if port%2 == 0 {
		if rtcp, err = net.ListenPacket("udp", net.JoinHostPort(host, strconv.Itoa(port+1))); err == nil {
			return rtp, rtcp, nil
		}
	} else {
		err = fmt.Errorf("port %d is odd", port)
	}
	_ = rtp.Close()
	return nil, nil, err
}
