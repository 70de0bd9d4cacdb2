//go:build !profile || !unix

package host

import (
	"context"
	"log/slog"
)

// ProfileOnSignal does nothing: only a binary built with the tag profile
// records profiles.
func ProfileOnSignal(context.Context, *slog.Logger) {}
