package pgserver

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
)

// logWriter turns PostgreSQL's standard error into log records, and keeps the
// last lines for the error of a failed start. Only the goroutine of os/exec
// writes to it; read recent and fault only after that goroutine has ended.
type logWriter struct {
	log *slog.Logger
	// stopping reports whether connections are being ended on purpose.
	stopping func() bool
	unread   []byte
	recent   []string
	// fault is the last message that says why a process of PostgreSQL ended.
	fault string
}

// refusal begins what a client hears while PostgreSQL starts, stops or recovers from a
// crash. It ends the connection, and is not why PostgreSQL ended.
const refusal = "FATAL:  the database system is "

func (w *logWriter) Write(p []byte) (int, error) {
	w.unread = append(w.unread, p...)
	for {
		line, rest, whole := bytes.Cut(w.unread, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		w.unread = rest
		w.line(string(line))
	}
}

// line logs normal messages at level Debug. FATAL ends one connection, which is
// expected during a stop; PANIC ends the server.
func (w *logWriter) line(text string) {
	level := slog.LevelDebug
	severity, _, _ := strings.Cut(text, ":")
	if (severity == "FATAL" || severity == "PANIC") && !strings.HasPrefix(text, refusal) {
		w.fault = text
	}
	switch {
	case severity == "FATAL" && !w.stopping():
		level = slog.LevelWarn
	case severity == "PANIC":
		level = slog.LevelError
	}
	w.log.Log(context.Background(), level, "PostgreSQL says", "line", text)
	if w.recent = append(w.recent, text); len(w.recent) > 5 {
		w.recent = w.recent[1:]
	}
}

func (w *logWriter) lastLines() string { return strings.Join(w.recent, "; ") }
