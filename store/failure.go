package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// Cause is the kind of reason for which the database did not do its work.
type Cause string

// The causes of UNAVAILABLE. They are labels of a metric.
const (
	CausePool      Cause = "pool"      // no connection was free in time
	CauseConnect   Cause = "connect"   // no connection could be opened
	CauseTimeout   Cause = "timeout"   // a statement, a lock or a transaction took too long
	CauseIO        Cause = "io"        // the connection broke
	CauseReadOnly  Cause = "read_only" // the server takes no writes, like a standby
	CauseDeadlock  Cause = "deadlock"  // class 40
	CauseResources Cause = "resources" // class 53: disk, memory, connections
	CauseShutdown  Cause = "shutdown"  // the server stops, starts or crashed
	CauseOther     Cause = "other"
)

// Causes returns all causes.
func Causes() []Cause {
	return []Cause{
		CausePool, CauseConnect, CauseTimeout, CauseIO, CauseReadOnly, CauseDeadlock, CauseResources, CauseShutdown, CauseOther,
	}
}

// Failure says why the answer is UNAVAILABLE. It holds no SQL text and no value of a
// row.
type Failure struct {
	Cause Cause
	// Operation is what the store did, such as "update Patient".
	Operation string
	// SQLState is the code of PostgreSQL's error, or "".
	SQLState string
	// Detail is the text of an error of the network or of connecting, or "".
	Detail string
}

// LogAttr returns the failure as one attribute of a log line.
func (f Failure) LogAttr() slog.Attr {
	attrs := []any{slog.String("cause", string(f.Cause)), slog.String("operation", f.Operation)}
	if f.SQLState != "" {
		attrs = append(attrs, slog.String("sqlstate", f.SQLState))
	}
	if f.Detail != "" {
		attrs = append(attrs, slog.String("detail", f.Detail))
	}
	return slog.Group("database", attrs...)
}

// outages are the SQLSTATEs, and the classes of them, that no caller can fix.
func outages() map[string]Cause {
	return map[string]Cause{
		"08": CauseIO, "40": CauseDeadlock, "53": CauseResources, "57": CauseOther,
		"25006": CauseReadOnly,
		"25P03": CauseTimeout, // idle_in_transaction_session_timeout
		"25P04": CauseTimeout, // transaction_timeout
		"55P03": CauseTimeout, // lock_timeout
		"57014": CauseTimeout, // statement_timeout
		"57P01": CauseShutdown, "57P02": CauseShutdown, "57P03": CauseShutdown,
		"57P05": CauseTimeout, // idle_session_timeout
	}
}

// outage returns the cause for a SQLSTATE, or false for an error of another kind.
func outage(state string) (Cause, bool) {
	causes := outages()
	if cause, ok := causes[state]; ok {
		return cause, true
	}
	cause, ok := causes[state[:min(len(state), 2)]]
	return cause, ok
}

// failureOf returns why the database did not do its work, or false for every other
// error. Every error while connecting is a failure.
func failureOf(ctx context.Context, err error) (Failure, bool) {
	pgErr, answered := errors.AsType[*pgconn.PgError](err)
	if cannotConnect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		f := Failure{Cause: CauseConnect, Detail: oneLine(cannotConnect)}
		if answered {
			f.SQLState = pgErr.Code
		}
		if cause, ok := outage(f.SQLState); ok && cause != CauseIO {
			f.Cause = cause
		}
		return f, true
	}
	if answered {
		cause, ok := outage(pgErr.Code)
		return Failure{Cause: cause, SQLState: pgErr.Code}, ok
	}
	return networkFailure(ctx, err)
}

// networkFailure is failureOf for an error that PostgreSQL did not send.
func networkFailure(ctx context.Context, err error) (f Failure, ok bool) {
	_, waiting := errors.AsType[*pgpipe.AcquireError](err)
	_, network := errors.AsType[net.Error](err) // context.DeadlineExceeded among them
	broken := network || pgconn.SafeToRetry(err) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
	late := errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) || ctx.Err() != nil
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		f.Detail = errno.Error()
	}
	switch {
	case waiting:
		f.Cause = CausePool
	case broken && late:
		f.Cause = CauseTimeout
	default:
		f.Cause = CauseIO
	}
	return f, waiting || broken
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
