package server

import (
	"context"
	"log/slog"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
)

// totpRoles returns the roles of accounts that must set up a second factor.
func totpRoles(s settings.Settings) []model.Role {
	switch s.RequireTotp {
	case "admin":
		return []model.Role{model.RoleAdmin}
	case "doctor":
		return []model.Role{model.RoleAdmin, model.RoleDoctor}
	default:
		return nil
	}
}

// clientAddr returns the address of the client of a request, or "".
func clientAddr(ctx context.Context) string {
	if addr := httpd.ClientAddr(ctx); addr.IsValid() {
		return addr.String()
	}
	return ""
}

func budgets(s settings.Settings) auth.Budgets {
	b := auth.DefaultBudgets()
	b.Failures, b.AddressFailures = auth.Budget(s.MaxSignInFailures), auth.Budget(s.MaxSignInFailuresPerAddress)
	b.Registrations, b.Resets = auth.Budget(s.MaxRegistrations), auth.Budget(s.MaxResets)
	b.Taken, b.AddressTaken = auth.Budget(s.MaxTaken), auth.Budget(s.MaxTakenPerAddress)
	return b
}

// compresses reports whether the server compresses answers, or leaves that to its proxy.
func compresses(s settings.Settings) bool {
	return s.Compression == "on" || s.Compression == "auto" && len(s.TrustedProxies) == 0
}

func httpOptions(s settings.Settings, log *slog.Logger) httpd.Options {
	return httpd.Options{
		Log: log, CORSOrigins: s.CORSOrigins, TrustedProxies: s.TrustedProxies, MaxBody: s.MaxBody,
		RequestTimeout: s.RequestTimeout, DrainDelay: s.DrainDelay, ShutdownTimeout: s.ShutdownTimeout,
	}
}
