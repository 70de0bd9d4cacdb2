package metrics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"
	"time"

	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/store"
)

// LogSlow returns a function that calls count, unless it is nil, and logs a warning for a
// round trip that takes the limit or longer. The line has hashes of the statements and no
// text or value of them. Zero logs nothing.
func LogSlow(log *slog.Logger, limit time.Duration, count func(context.Context, store.Trip)) func(context.Context, store.Trip) {
	if limit == 0 {
		return count
	}
	return func(ctx context.Context, t store.Trip) {
		if count != nil {
			count(ctx, t)
		}
		if t.Took < limit {
			return
		}
		log.LogAttrs(ctx, slog.LevelWarn, "a round trip to the database was slow", slowAttrs(ctx, t)...)
	}
}

func slowAttrs(ctx context.Context, t store.Trip) []slog.Attr {
	attrs := []slog.Attr{
		slog.String("request_id", httpd.RequestID(ctx)), slog.String("pool", t.Pool),
		slog.Int("statements", t.Count), httpd.Milliseconds("duration_ms", t.Took),
	}
	if r, ok := ctx.Value(store.RequestKey{}).(*store.Request); ok {
		_, waited := r.Used()
		attrs = append(attrs, httpd.Milliseconds("pool_wait_ms", waited))
	}
	if len(t.Statements) == 0 {
		return attrs
	}
	keys, types := []string{}, []string{}
	for _, st := range t.Statements {
		keys = append(keys, key(st.Text.Value()))
		if st.Type != "" && !slices.Contains(types, st.Type) {
			types = append(types, st.Type)
		}
	}
	return append(attrs, slog.Any("keys", keys), slog.Any("types", types), slog.Int("rows", t.Rows()))
}

// key names a statement: the first 8 characters of the SHA-256 of its text, which has
// placeholders for all values.
func key(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:4])
}
