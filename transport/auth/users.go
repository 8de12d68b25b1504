package auth

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"scrim/transport"
	"scrim/transport/auth/digest"
)

// MaxUsers bounds the number of users.
const MaxUsers = 1024

// Errors by which callers choose their answer.
var (
	// ErrMissing: there are no credentials, or they answer a challenge that has
	// expired. The server must send a challenge.
	ErrMissing = errors.New("credentials required")
	// ErrRefused: user or password is wrong.
	ErrRefused = errors.New("wrong user or password")
	// ErrLocked: too many attempts failed; further ones are ignored for a while.
	ErrLocked = errors.New("too many failed logins; wait a minute")
)

var nameRE = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// CheckName checks a user's name. It becomes part of headers, in which other
// characters would need escaping.
func CheckName(name string) error {
	if !nameRE.MatchString(name) {
		return fmt.Errorf("invalid user name %.70q: use 1 to 64 of the characters a-z, A-Z, 0-9, '.', '_', '-' and '@'", name)
	}
	return nil
}

// User is a login that may watch cameras.
type User struct {
	Name, Password string
	// Cameras that the user may see; empty: all.
	Cameras []string
}

// MayWatch reports whether the user may see a camera. A nil user, of a Control without
// users, may see all cameras.
func (u *User) MayWatch(camera string) bool {
	return u == nil || len(u.Cameras) == 0 || slices.Contains(u.Cameras, camera)
}

// LogValue implements slog.LogValuer: it is the name.
func (u *User) LogValue() slog.Value {
	if u == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(u.Name)
}

// Control checks credentials. It is safe for concurrent use.
type Control struct {
	users    map[string]*User
	throttle *throttle
	log      *slog.Logger
	failures rate.Sometimes // limits the log
	digest   *digest.Server
	decoy    User // stands in for users that do not exist
	now      func() time.Time
}

// New returns a Control for the users. Without users, every client may see every
// camera.
func New(users []User, log *slog.Logger) (*Control, error) {
	if len(users) > MaxUsers {
		return nil, fmt.Errorf("%d users: at most %d are allowed", len(users), MaxUsers)
	}
	c := &Control{
		users: make(map[string]*User, len(users)), throttle: newThrottle(), log: log, failures: rate.Sometimes{Interval: 10 * time.Second},
		decoy: User{Password: rand.Text()}, now: time.Now,
	}
	c.digest = digest.NewServer(func() time.Time { return c.now() })
	for _, u := range users {
		if err := CheckName(u.Name); err != nil {
			return nil, err
		}
		if u.Password == "" {
			return nil, fmt.Errorf("user %s has no password", u.Name)
		}
		if c.users[u.Name] != nil {
			return nil, fmt.Errorf("user %s appears twice", u.Name)
		}
		for _, camera := range u.Cameras {
			if err := transport.CheckName(camera); err != nil {
				return nil, fmt.Errorf("user %s: camera: %w", u.Name, err)
			}
		}
		u.Cameras = slices.Clone(u.Cameras)
		c.users[u.Name] = &u
	}
	return c, nil
}

// Unrestricted reports whether there are no users, so that every client may see every camera.
func (c *Control) Unrestricted() bool { return len(c.users) == 0 }

// Verify returns the user with a name if proves accepts its password. It always
// calls proves, with a random password if there is no such user. It returns
// ErrRefused if the proof fails, and ErrLocked if this address has failed too often
// for this user.
func (c *Control) Verify(from netip.Addr, name string, proves func(password string) bool) (*User, error) {
	u := c.users[name]
	known := u != nil
	if !known {
		u, name = &c.decoy, "" // all invented names share one allowance
	}
	right := proves(u.Password) && known
	if !c.throttle.allow(from, name, c.now()) {
		return nil, ErrLocked
	}
	if !right {
		c.failures.Do(func() { c.log.Warn("wrong user or password", "from", from, "user", name) })
		if l := c.throttle.failed(from, name, c.now()); l != nil {
			c.logLockout(from, name, l)
		}
		return nil, ErrRefused
	}
	return u, nil
}

// logLockout logs the start of a lock-out. Otherwise refusals of the right password
// would have no visible cause.
func (c *Control) logLockout(from netip.Addr, name string, l *lockout) {
	args := []any{"user", cmp.Or(name, "(unknown user)"), "from", guesserOf(from, name).String(), "until", l.until}
	if l.others > 0 {
		args = append(args, "others", l.others)
	}
	c.log.Warn("too many failed logins for this user from this address; ignoring attempts until then; correct the client's user and password", args...)
}
