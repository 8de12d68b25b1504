package bus

import (
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
	// reconnectWait and reconnectJitter say when the next attempt comes: not all
	// clients of a restarted server at the same moment.
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 500 * time.Millisecond
	// refusedWaitMost bounds the wait while logins are refused, which doubles with
	// each: somebody must do something first.
	refusedWaitMost = 15 * time.Second
	// refusedLogInterval is the least time between log lines about that.
	refusedLogInterval = 10 * time.Second
	// maxPendingMessages and maxPendingVideo bound what waits for one reader:
	// about two seconds of video. With the library's defaults frames were
	// measured to age to 66 s.
	maxPendingMessages = 60
	maxPendingVideo    = 8 << 20
)

// Errors by which callers decide.
var (
	// ErrDisconnected: there is no connection at the moment; what was to be sent
	// is lost. The connection comes back by itself.
	ErrDisconnected = errors.New("no connection to NATS")
	// ErrPermission: the user may not do what it did. It is fatal for the
	// connection: the server drops such messages silently, so nothing would work.
	ErrPermission = errors.New("NATS refused permission")
	// ErrClosed: the connection or subscription is closed.
	ErrClosed = errors.New("NATS connection is closed")
	// ErrInvalid: a message is not what its subject says.
	ErrInvalid = errors.New("invalid message")
)

// Config says where and as whom to connect.
type Config struct {
	// URL of the server, nats:// or tls://, several separated by commas. A user
	// and password in it are used and never shown.
	URL string
	// Server, if set, is connected to within the process; URL must be empty then.
	Server *Server
	// User and Password, Token, or CredsFile: how to log in, at most one way.
	User, Password string
	Token          string
	CredsFile      string
	// Name is shown in the server's list of connections.
	Name string
	// Log takes what happens to the connection; nil: slog.Default.
	Log *slog.Logger
}

// Conn is a connection to NATS. It reconnects by itself for ever and buffers
// nothing meanwhile. A login that is refused on reconnection is tried again, less
// and less often and with an error in the log: a server whose passwords are being
// changed must not take all sites off for good. It is safe for concurrent use.
type Conn struct {
	nc  *nats.Conn
	log *slog.Logger
	// name is the server for people, without secrets.
	name string
	life context.Context
	end  context.CancelFunc
	done chan struct{}
	// closing is set by Close: what was heard before is no reason then.
	closing atomic.Bool
	// refused counts the logins refused since the last connection.
	refused    atomic.Int64
	refusedLog rate.Sometimes

	mu  sync.Mutex
	err error
}

// Connect connects and logs in. It returns an error if that does not succeed at
// once; ctx bounds the attempt and not the connection.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
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

// options are those of every connection.
func (c *Conn) options(name string) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.Timeout(connectTimeout),
		nats.SetCustomDialer(dialer{c.life}),
		nats.SkipHostLookup(), // left to the dialer, which can be cancelled
		// 200 of 200 stale frames were replayed after a server's restart with the
		// default buffer of 8 MiB.
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.CustomReconnectDelay(func(int) time.Duration { return reconnectAfter(c.refused.Load()) }),
		// By default the second refusal in a row ends the connection for good.
		nats.IgnoreAuthErrorAbort(),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(maxPings),
		// A write that blocks holds up a camera: give the connection up instead.
		nats.FlusherTimeout(writeDeadline),
		nats.ReconnectOnFlusherError(),
		// The library reserves this many places for every subscription at once.
		nats.SyncQueueLen(2 * maxPendingMessages),
		nats.ErrorHandler(c.asyncError),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.log.Warn("connection to NATS lost; trying to reconnect", "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.refused.Store(0)
			c.log.Info("connected to NATS again")
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

// asyncError hears what no call returns: a publish without permission returns
// nil and shows up here only.
func (c *Conn) asyncError(nc *nats.Conn, sub *nats.Subscription, err error) {
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		c.fail(fmt.Errorf("%w: %w", ErrPermission, err))
		nc.Close()
	case loginRefused(err):
		c.refused.Add(1)
		c.refusedLog.Do(func() {
			c.log.Error("login refused by NATS, will be tried again; check user, password, token or credentials file against the server's", "error", err)
		})
	case errors.Is(err, nats.ErrSlowConsumer) && sub != nil:
		c.log.Debug("reader is slow; messages were dropped", "subject", sub.Subject)
	default:
		c.log.Warn("NATS", "error", err)
	}
}

// dropped logs an invalid message. Its subject may hold any character.
func (c *Conn) dropped(subject string, err error) {
	c.log.Debug("message dropped", "subject", transport.Plain(subject, maxTextBytes), "error", err)
}

// loginRefused tells errors that end when the server's or this side's
// credentials change.
func loginRefused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) ||
		errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired)
}

// reconnectAfter is how long to wait before the next attempt to connect, after
// so many refused logins.
func reconnectAfter(refused int64) time.Duration {
	wait := min(reconnectWait<<min(refused, 10), refusedWaitMost)
	return wait + rand.N(reconnectJitter)
}

// checkPayload warns of a server that takes small messages only.
func (c *Conn) checkPayload(nc *nats.Conn) {
	if payload := nc.MaxPayload(); payload < fewBytes {
		c.log.Warn("the NATS server's max_payload is small: large pictures go in many parts and may be lost; set it to 1 MB or more", "max_payload", payload)
	}
}

// fail keeps the first reason for the connection's end.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && err != nil {
		c.err = err
	}
}

// Done is closed when the connection has ended for good: by Close, or by a
// permission that was refused.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err says why the connection ended; nil while it has not, or after Close.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return fmt.Errorf("NATS %s: %w", c.name, c.err)
}

// Connected says whether there is a connection at the moment.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// Flush waits until the server has taken all that was sent before.
func (c *Conn) Flush(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, connectTimeout)
		defer cancel()
	}
	return c.explain(c.nc.FlushWithContext(ctx))
}

// Close ends the connection and all that was made from it.
func (c *Conn) Close() {
	c.closing.Store(true)
	c.nc.Close()
	<-c.done
	c.end()
}

// explain turns an error of the library into one of this package.
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
