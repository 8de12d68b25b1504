package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
)

// target is a checked Config: the servers and the login.
type target struct {
	// urls contain no secrets; name is the same for people.
	urls, name string
	options    []nats.Option
}

// target checks the configuration and removes the secrets from the URL: no error and no
// log can contain them.
func (cfg Config) target() (*target, error) {
	t := &target{}
	switch {
	case cfg.Server != nil && cfg.URL != "":
		return nil, errors.New("NATS: set a URL or an embedded server, not both")
	case cfg.Server != nil:
		t.name = "embedded"
		t.options = append(t.options, nats.InProcessServer(cfg.Server.srv))
		if cfg.User == "" && cfg.Token == "" && cfg.CredsFile == "" {
			cfg.User, cfg.Password, cfg.Token = cfg.Server.user, cfg.Server.password, cfg.Server.token
		}
	case cfg.URL == "":
		return nil, errors.New("NATS: no URL is set")
	default:
		if err := t.addresses(&cfg); err != nil {
			return nil, err
		}
	}
	return t, t.login(cfg)
}

// addresses reads the URLs.
func (t *target) addresses(cfg *Config) error {
	list := strings.Split(cfg.URL, ",")
	clean := make([]string, 0, len(list))
	for i, raw := range list {
		u, err := url.Parse(strings.TrimSpace(raw))
		if err != nil { // the parser's error would show the URL and its password
			return fmt.Errorf("NATS: invalid URL %d: write nats://host:4222", i+1)
		}
		if u.Scheme != "nats" && u.Scheme != "tls" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("NATS: invalid URL %d: must be nats://host:4222 or tls://host:4222", i+1)
		}
		if u.User != nil {
			switch {
			case i > 0:
				return errors.New("NATS: with several URLs, only the first can contain a user; set user and password instead")
			case cfg.User != "" || cfg.Token != "" || cfg.CredsFile != "":
				return errors.New("NATS: log in with the URL or with user, token or credentials file, not both")
			}
			if password, ok := u.User.Password(); ok {
				cfg.User, cfg.Password = u.User.Username(), password
			} else { // NATS treats a user without password as a token
				cfg.Token = u.User.Username()
			}
		}
		host := u.Host
		if u.Port() == "" {
			host = net.JoinHostPort(u.Hostname(), "4222")
		}
		clean = append(clean, u.Scheme+"://"+host)
	}
	t.urls = strings.Join(clean, ",")
	t.name = t.urls
	return nil
}

// login adds the login.
func (t *target) login(cfg Config) error {
	ways := 0
	if cfg.User != "" || cfg.Password != "" {
		ways++
		t.options = append(t.options, nats.UserInfo(cfg.User, cfg.Password))
	}
	if cfg.Token != "" {
		ways++
		t.options = append(t.options, nats.Token(cfg.Token))
	}
	if cfg.CredsFile != "" {
		ways++
		if _, err := os.Stat(cfg.CredsFile); err != nil {
			return fmt.Errorf("NATS credentials file: %w", err)
		}
		t.options = append(t.options, nats.UserCredentials(cfg.CredsFile))
	}
	if ways > 1 {
		return errors.New("NATS: several logins: set user and password, a token, or a credentials file")
	}
	return nil
}

// explain says why a first connection failed and what to do.
func (t *target) explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("connect to NATS %s: %w", t.name, context.Cause(ctx))
	case errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("connect to NATS %s: login refused; check user, password, token or credentials file: %w", t.name, err)
	case errors.Is(err, nats.ErrNoServers):
		return fmt.Errorf("connect to NATS %s: no answer; check that the server is running and the address is right: %w", t.name, err)
	default:
		return fmt.Errorf("connect to NATS %s: %w", t.name, err)
	}
}

// dialer dials during the life of the connection.
type dialer struct{ life context.Context }

// Dial connects. The end of the connection's life ends a hanging dial or handshake.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: connectTimeout}
	conn, err := nd.DialContext(d.life, network, address)
	if err != nil {
		return nil, err
	}
	c := &lifeConn{Conn: conn}
	c.stop = context.AfterFunc(d.life, func() { _ = conn.Close() })
	return c, nil
}

// lifeConn releases its dialer's context when closed.
type lifeConn struct {
	net.Conn
	stop func() bool
}

// Close closes the connection.
func (c *lifeConn) Close() error {
	c.stop()
	return c.Conn.Close()
}
