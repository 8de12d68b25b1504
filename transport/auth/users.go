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
)

// MaxUsers bounds the users.
const MaxUsers = 1024

// Errors by which callers decide what to answer.
var (
	// ErrMissing: no credentials were shown, or such as cannot be judged, because
	// they belong to a challenge that has expired. A challenge is due.
	ErrMissing = errors.New("credentials are needed")
	// ErrRefused: they are wrong.
	ErrRefused = errors.New("user or password is wrong")
	// ErrLocked: there were too many wrong ones; nothing is looked at for a while.
	ErrLocked = errors.New("too many wrong passwords; wait a minute")
)

var nameRE = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// CheckName reports whether name can be the name of a user: it becomes part of
// headers, where other characters would have to be escaped.
func CheckName(name string) error {
	if !nameRE.MatchString(name) {
		return fmt.Errorf("user %.70q may have 1 to 64 of the characters a-z, A-Z, 0-9, '.', '_', '-' and '@'", name)
	}
	return nil
}

// User may see cameras.
type User struct {
	Name, Password string
	// Cameras that the user may see; empty: all.
	Cameras []string
}

// May reports whether the user may see a camera. Nil is a user where none are
// asked for, who may see everything.
func (u *User) May(camera string) bool {
	return u == nil || len(u.Cameras) == 0 || slices.Contains(u.Cameras, camera)
}

// LogValue is the name.
func (u *User) LogValue() slog.Value {
	if u == nil {
		return slog.StringValue("")
	}
	return slog.StringValue(u.Name)
}

// Control checks credentials. It is safe for concurrent use.
type Control struct {
	users map[string]*User
	guard *guard
	log   *slog.Logger
	said  rate.Sometimes
	key   []byte // of nonces
	decoy User   // stands in for users that do not exist
	now   func() time.Time
}

// New returns a Control for the users. With none, everybody may see everything.
func New(users []User, log *slog.Logger) (*Control, error) {
	if len(users) > MaxUsers {
		return nil, fmt.Errorf("there are %d users; at most %d", len(users), MaxUsers)
	}
	c := &Control{
		users: make(map[string]*User, len(users)), guard: newGuard(), log: log, said: rate.Sometimes{Interval: 10 * time.Second},
		key: []byte(rand.Text()), decoy: User{Password: rand.Text()}, now: time.Now,
	}
	for _, u := range users {
		if err := CheckName(u.Name); err != nil {
			return nil, err
		}
		if u.Password == "" {
			return nil, fmt.Errorf("user %s has no password", u.Name)
		}
		if c.users[u.Name] != nil {
			return nil, fmt.Errorf("user %s is there twice", u.Name)
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

// Open reports whether there are no users, so that everybody may see everything.
func (c *Control) Open() bool { return len(c.users) == 0 }

// Verify returns the user of a name if proves is true for its password. It is
// always called, with a password that nobody knows when there is no such user.
// Otherwise it returns ErrRefused, or ErrLocked when the one at the address from
// has guessed too often.
func (c *Control) Verify(from netip.Addr, name string, proves func(password string) bool) (*User, error) {
	u := c.users[name]
	known := u != nil
	if !known {
		u, name = &c.decoy, "" // names that somebody made up share one place
	}
	right := proves(u.Password) && known
	if !c.guard.allow(from, name, c.now()) {
		return nil, ErrLocked
	}
	if !right {
		c.said.Do(func() { c.log.Warn("wrong user or password", "from", from, "user", name) })
		if h := c.guard.wrong(from, name, c.now()); h != nil {
			c.held(from, name, h)
		}
		return nil, ErrRefused
	}
	return u, nil
}

// held logs that somebody begins to be held back: for who sees only the refusals, also
// of the right password, they have no cause.
func (c *Control) held(from netip.Addr, name string, h *holding) {
	args := []any{"user", cmp.Or(name, "(there is no such user)"), "from", guesserOf(from, name).String(), "until", h.until}
	if h.others > 0 {
		args = append(args, "others", h.others)
	}
	c.log.Warn("too many wrong passwords; for this user nothing is looked at from there until then, right or wrong: "+
		"correct user and password in that client, or see whose it is", args...)
}
