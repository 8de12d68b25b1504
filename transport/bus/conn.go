package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"

	"scrim/transport"
)

const (
	// connectTimeout bounds one attempt to connect.
	connectTimeout = 5 * time.Second
	// reconnectWait and reconnectJitter set the delay of the next attempt: the clients
	// of a restarted server must not reconnect all at once.
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 500 * time.Millisecond
	// refusedWaitMax bounds the delay while logins are refused. It doubles each time:
	// someone must act first.
	refusedWaitMax = 15 * time.Second
	// refusedLogInterval is the minimum time between log lines about refused logins.
	refusedLogInterval = 10 * time.Second
	// maxPendingMessages and maxPendingVideo bound the queue of a reader: about two
	// seconds of video. With the library's defaults, frames were measured to age to 66
	// s.
	maxPendingMessages = 60
	maxPendingVideo    = 8 << 20
)

// Errors for callers to distinguish.
var (
	// ErrDisconnected: there is no connection at the moment, and the message is lost.
	// The connection is restored automatically.
	ErrDisconnected = errors.New("no connection to NATS")
	// ErrPermission: the user lacks a permission. It ends the connection: the server
	// drops such messages silently, so nothing would work.
	ErrPermission = errors.New("NATS refused permission")
	// ErrClosed: the connection or subscription is closed.
	ErrClosed = errors.New("NATS connection is closed")
	// ErrInvalid: a message does not match its subject or its bounds.
	ErrInvalid = errors.New("invalid message")
)

// Config describes a connection.
type Config struct {
	// URL of the server, nats:// or tls://; several are separated by commas. A user and
	// password in it are used and never shown.
	URL string
	// Server, if set, is the embedded server to connect to. URL must be empty then.
	Server *Server
	// User and Password, Token, or CredsFile: the login, at most one of them.
	User, Password string
	Token          string
	CredsFile      string
	// Name is shown in the server's list of connections.
	Name string
	// Log; nil: slog.Default().
	Log *slog.Logger
}

// Conn is a connection to NATS. It reconnects forever and buffers nothing meanwhile. A
// refused login is retried with growing delays and logged as an error: a change of the
// server's passwords must not disconnect all sites for good. It is safe for concurrent
// use.
type Conn struct {
	nc  *nats.Conn
	log *slog.Logger
	// name is the server's address without secrets.
	name string
	life context.Context
	end  context.CancelFunc
	done chan struct{}
	// closing is set by Close: earlier errors are not the reason then.
	closing atomic.Bool
	// refused counts the logins refused since the last connection.
	refused    atomic.Int64
	refusedLog rate.Sometimes

	mu  sync.Mutex
	err error
}

// Connect connects and logs in. It fails if the first attempt fails. ctx bounds the
// attempt, not the connection.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	cfg.Log = cmp.Or(cfg.Log, slog.Default())
	t, err := cfg.target()
	if err != nil {
		return nil, err
	}
	c := &Conn{
		log: cfg.Log.With("nats", t.name), name: t.name, done: make(chan struct{}),
		refusedLog: rate.Sometimes{Interval: refusedLogInterval},
	}
	c.life, c.end = context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, c.end)
	c.nc, err = nats.Connect(t.urls, append(c.options(cfg.Name), t.options...)...)
	if !stop() && err == nil {
		c.Close()
		err = ctx.Err()
	}
	if err != nil {
		c.end()
		return nil, t.explain(ctx, err)
	}
	c.checkPayload(c.nc)
	return c, nil
}

// options returns the options of every connection.
func (c *Conn) options(name string) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.Timeout(connectTimeout),
		nats.SetCustomDialer(dialer{c.life}),
		nats.SkipHostLookup(), // the dialer does it and can be cancelled
		// Quirk (nats.go v1.55.0): with the default buffer of 8 MiB, 200 of 200 stale
		// frames were sent after a restart of the server; see docs/quirks.md.
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(func(int) time.Duration { return reconnectAfter(c.refused.Load()) }),
		// By default, the second refusal in a row ends the connection for good.
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		// A blocked write delays a camera: drop the connection instead.
		nats.FlusherTimeout(writeDeadline),
		nats.ReconnectOnFlusherError(),
		// The library allocates this many slots for every subscription.
		nats.SyncQueueLen(2 * maxPendingMessages),
		nats.ErrorHandler(c.asyncError),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.log.Warn("connection to NATS lost; trying to reconnect", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.refused.Store(0)
			c.log.Info("reconnected to NATS")
			c.checkPayload(nc)
		}),
		nats.ClosedHandler(func(nc *nats.Conn) {
			if !c.closing.Load() {
				c.fail(nc.LastError())
			}
			close(c.done)
		}),
	}
}

// asyncError receives errors that no call returns. Quirk (nats.go v1.55.0): a publish
// without permission returns nil and fails here only; see docs/quirks.md.
func (c *Conn) asyncError(nc *nats.Conn, sub *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		c.fail(fmt.Errorf("%w: %w", ErrPermission, err))
		nc.Close()
	case loginRefused(err):
		c.refused.Add(1)
		c.refusedLog.Do(func() {
			c.log.Error("NATS login refused; retrying; check user, password, token or credentials file against the server's", "error", err)
		})
	case errors.Is(err, nats.ErrSlowConsumer) && sub != nil:
		c.log.Debug("slow reader; messages dropped", "subject", sub.Subject)
	default:
		c.log.Warn("NATS error", "error", err)
	}
}

// subscribe calls handle, one call at a time, with every message. At most so many wait.
func (c *Conn) subscribe(subject string, messages, bytes int, handle nats.MsgHandler) (*nats.Subscription, error) {
	sub, err := c.nc.Subscribe(subject, handle)
	if err == nil {
		err = sub.SetPendingLimits(messages, bytes)
	}
	return sub, err
}

// dropped logs an invalid message. Its subject may hold any character.
func (c *Conn) dropped(subject string, err error) {
	c.log.Debug("message dropped", "subject", transport.Plain(subject, maxTextBytes), "error", err)
}

// loginRefused reports whether an error can end with a change of the credentials on
// either side.
func loginRefused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) ||
		errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired)
}

// reconnectAfter returns the delay before the next attempt, after a number of refused
// logins.
func reconnectAfter(refused int64) time.Duration {
	wait := min(reconnectWait<<min(refused, 10), refusedWaitMax)
	return wait + rand.N(reconnectJitter)
}

// checkPayload warns of a server that accepts small messages only.
func (c *Conn) checkPayload(nc *nats.Conn) {
	if payload := nc.MaxPayload(); payload < lowPayload {
		c.log.Warn("NATS server's max_payload is small: large pictures are sent in many parts and may be lost; set it to 1 MB or more", "max_payload", payload)
	}
}

// fail stores the first reason for the end of the connection.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && err != nil {
		c.err = err
	}
}

// Done is closed when the connection has ended for good: by Close or a refused
// permission.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended; nil before its end and after Close.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return fmt.Errorf("NATS %s: %w", c.name, c.err)
}

// Close ends the connection and everything created from it.
func (c *Conn) Close() {
	c.closing.Store(true)
	c.nc.Close()
	<-c.done
	c.end()
}

// explain turns a library's error into one of this package.
func (c *Conn) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrReconnectBufExceeded), errors.Is(err, nats.ErrConnectionReconnecting), errors.Is(err, nats.ErrDisconnected):
		return fmt.Errorf("%w (%s)", ErrDisconnected, c.name)
	case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrBadSubscription), errors.Is(err, nats.ErrSubscriptionClosed):
		if cause := c.Err(); cause != nil {
			return cause
		}
		return ErrClosed
	default:
		return fmt.Errorf("NATS %s: %w", c.name, err)
	}
}
