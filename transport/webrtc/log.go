package webrtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs redirects pion's logs, which go to standard error by default.
type pionLogs struct{ log *slog.Logger }

// NewLogger returns a logger for one part of pion.
func (l pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return pionLog{log: l.log, scope: scope}
}

// pionLog logs at the debug level: errors of a viewer's connection concern the viewer,
// and anyone could fill the log with them.
type pionLog struct {
	log   *slog.Logger
	scope string
}

func (l pionLog) put(msg string) {
	l.log.Debug("pion: "+msg, "scope", l.scope)
}

func (l pionLog) putf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.put(fmt.Sprintf(format, args...))
	}
}

func (pionLog) Trace(string)                       {}
func (pionLog) Tracef(string, ...any)              {}
func (pionLog) Debug(string)                       {}
func (pionLog) Debugf(string, ...any)              {}
func (l pionLog) Info(msg string)                  { l.put(msg) }
func (l pionLog) Infof(format string, args ...any) { l.putf(format, args...) }
func (l pionLog) Warn(msg string)                  { l.put(msg) }
func (l pionLog) Warnf(format string, args ...any) { l.putf(format, args...) }
func (l pionLog) Error(msg string)                 { l.put(msg) }
func (l pionLog) Errorf(format string, args ...any) {
	l.putf(format, args...)
}
