//go:build !profile || !unix

package host

import (
	"context"
	"log/slog"
)

// OnSignal does nothing: this binary was not built to be profiled.
func OnSignal(context.Context, *slog.Logger) {}
