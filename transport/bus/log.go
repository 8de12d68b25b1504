package bus

import (
	"fmt"
	"log/slog"
	"sync"
)

// serverLog passes the server's log on. The server calls Fatalf for what keeps
// it from starting and goes on; the text is kept for StartServer's error.
type serverLog struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string
}

// Noticef logs what is usual at the debug level: the server is chatty.
func (l *serverLog) Noticef(format string, v ...any) {
	l.log.Debug("nats: " + fmt.Sprintf(format, v...))
}

// Warnf logs a warning.
func (l *serverLog) Warnf(format string, v ...any) { l.log.Warn("nats: " + fmt.Sprintf(format, v...)) }

// Errorf logs an error.
func (l *serverLog) Errorf(format string, v ...any) {
	l.log.Error("nats: " + fmt.Sprintf(format, v...))
}

// Debugf drops what only the server's own authors need.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef drops the trace: it would hold every message.
func (l *serverLog) Tracef(string, ...any) {}

// Fatalf keeps the reason.
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
