//go:build !profile || !unix

package profile

import (
	"context"
	"log/slog"
)

// OnSignal does nothing: this binary was not built to be profiled.
func OnSignal(context.Context, *slog.Logger) {}
