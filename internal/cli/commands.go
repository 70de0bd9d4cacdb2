package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Serve is the command that runs the server by calling serve.
func Serve(serve func(context.Context, settings.Settings, io.Writer, *slog.Logger) error) Command {
	return Command{
		name: "serve", summary: "run the server (default)",
		run: func(ctx context.Context, c call) error { return serve(ctx, c.Settings, c.Stdout, c.log) },
	}
}

// Fill is the command that fills a running server by calling fill, which parses
// its own flags.
func Fill(fill func(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error) Command {
	return Command{
		name: "fill", summary: "fill a running server with example records; see caregraph fill --help",
		runArgs: func(ctx context.Context, env Env, args []string) error {
			return fill(ctx, args, env.Getenv, env.Stdout, env.Stderr)
		},
	}
}

func migrate() Command {
	return Command{
		name: "migrate", summary: "update the database schema; serve also does that",
		run: func(ctx context.Context, c call) error { return c.withDatabase(ctx, store.Migrate) },
	}
}

func createAdmin() Command {
	var email, username string
	return Command{
		name: "admin create", summary: "create an administrator account; reads the password from the terminal or standard input",
		options: []settings.Option{
			{Name: "email", Value: "ADDRESS", Set: func(text string) error {
				email = text
				if email == "" {
					return errors.New("must be the address of the account")
				}
				return nil
			}},
			{Name: "username", Value: "NAME", Set: func(text string) error { username = text; return nil }},
		},
		run: func(ctx context.Context, c call) error { return c.createAdmin(ctx, email, username) },
	}
}

// createAdmin works while the server runs, too. Without a username it uses the
// first part of the address: usernames are visible to others, addresses are not.
func (c call) createAdmin(ctx context.Context, email, username string) error {
	u := &model.User{Email: model.ParseEmail(email)}
	local, _, _ := strings.Cut(string(u.Email), "@")
	u.Username = cmp.Or(username, local)
	password, err := host.ReadPassword(c.Stdin, c.Stdout)
	if err != nil {
		return err
	}
	rules, err := c.Policy()
	if err != nil {
		return err
	}
	return c.withDatabase(ctx, func(ctx context.Context, url string) error {
		if err := store.Migrate(ctx, url); err != nil {
			return err
		}
		db, err := store.Open(ctx, url, store.Options{
			Policy: rules, Connections: c.DatabaseConns,
			Pooler: store.Pooler(c.DatabasePooler), Prepared: store.Prepared(c.Prepared),
		})
		if err != nil {
			return err
		}
		defer db.Close()
		ctx, cancel := context.WithTimeout(ctx, c.RequestTimeout)
		defer cancel()
		if _, err := auth.CreateAdmin(ctx, db, auth.NewHasher(1), u, password); err != nil {
			return fmt.Errorf("admin create: %w", err)
		}
		_, err = fmt.Fprintf(c.Stdout, "%s is an administrator now.\n", u.Email)
		return err
	})
}

// withDatabase calls f with the database, also while a server runs on it.
func (c call) withDatabase(ctx context.Context, f func(ctx context.Context, url string) error) error {
	return pgserver.With(ctx, pgserver.Database{
		URL: string(c.DatabaseURL), DataDir: c.Data, Attach: true, StopTimeout: c.ShutdownTimeout, Log: c.log,
	}, f)
}

func rotateKeys() Command {
	return Command{
		name: "keys rotate", summary: "add a signing key and use it from the next start; older keys still verify",
		run: func(_ context.Context, c call) error {
			if _, err := auth.RotateKeys(c.Keys, c.JWTAlgorithm); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.Stdout, "The server signs with a new key after its next start. Tokens of the older keys stay valid.")
			return err
		},
	}
}

func version() Command {
	return Command{
		name: "version", summary: "print the version",
		run: func(_ context.Context, c call) error {
			_, err := fmt.Fprintln(c.Stdout, strings.TrimSpace("caregraph "+c.Version+" "+revision()))
			return err
		},
	}
}

// revision returns the commit that the binary was built from, or "".
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}
