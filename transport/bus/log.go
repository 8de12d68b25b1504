package bus

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// serverLog passes the server's log on. The server calls Fatalf for errors that prevent
// its start and then continues; StartServer returns the text.
type serverLog struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
}

// Noticef logs at the debug level: the server is chatty.
func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

// Warnf logs a warning, except one about passwords: hashed or not, users are in memory only.
func (l *serverLog) Warnf(format string, v ...any) {
	if !strings.HasPrefix(format, "Plaintext passwords detected") {
		l.log.Warn("nats: " + fmt.Sprintf(format, v...))
	}
}

// Errorf logs an error.
func (l *serverLog) Errorf(format string, v ...any) {
	l.log.Error("nats: " + fmt.Sprintf(format, v...))
}

// Debugf drops messages for the server's authors.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef drops the trace, which contains every message.
func (l *serverLog) Tracef(string, ...any) {}

// Fatalf stores the reason.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = fmt.Sprintf(format, v...)
}

func (l *serverLog) reason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}
