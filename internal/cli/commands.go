package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Process is one run of the server.
type Process struct {
	settings.Settings

	// Changed are the settings that are not the defaults, for the log.
	Changed []slog.Attr
	Out     io.Writer
	Log     *slog.Logger
	// LogDropped returns how many lines the log could not take.
	LogDropped func() int64
}

// Serve is the command that runs the server by calling serve.
func Serve(serve func(context.Context, Process) error) Command {
	return Command{
		name: "serve", summary: "run the server (default)",
		run: func(ctx context.Context, c call) error {
			return serve(ctx, Process{c.Settings, c.changed, c.Stdout, c.log, c.lines.Dropped})
		},
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
		name: "migrate", summary: "update the database schema, build indexes and fill new columns; servers may run",
		run: func(ctx context.Context, c call) error {
			c.DatabaseURL = cmp.Or(c.AdminURL, c.DatabaseURL)
			return c.withDatabase(ctx, func(ctx context.Context, url string) error { return store.Migrate(ctx, url, c.log) })
		},
	}
}

// createAdmin is createAccount with the role ADMIN.
func createAdmin() Command {
	u := &model.User{Role: model.RoleAdmin}
	return Command{
		name: "admin create", summary: "create an administrator account; reads the password from the terminal or standard input",
		options: accountOptions(u),
		run:     func(ctx context.Context, c call) error { return c.createAccount(ctx, u) },
	}
}

func createAccount() Command {
	u := &model.User{}
	role := settings.Option{Name: "role", Value: "patient|doctor|admin", Set: func(text string) (err error) {
		u.Role, err = roleOf(cmp.Or(text, "patient"))
		return err
	}}
	return Command{
		name: "accounts create", summary: "create an account, also if registration is closed; reads the password as admin create does",
		options: append(accountOptions(u), role),
		run:     func(ctx context.Context, c call) error { return c.createAccount(ctx, u) },
	}
}

func accountOptions(u *model.User) []settings.Option {
	return []settings.Option{
		{Name: "email", Value: "ADDRESS", Set: func(text string) error {
			if u.Email = model.ParseEmail(text); text == "" {
				return errors.New("must be the address of the account")
			}
			return nil
		}},
		{Name: "username", Value: "NAME", Set: func(text string) error { u.Username = text; return nil }},
	}
}

// createAccount works while the server runs, too. Without a username it makes one up:
// some others see the username, and neither the address nor the role.
func (c call) createAccount(ctx context.Context, u *model.User) error {
	u.Username = cmp.Or(u.Username, "user-"+strings.ToLower(rand.Text()[:8]))
	password, err := host.ReadPassword(c.Stdin, c.Stdout)
	if err != nil {
		return err
	}
	return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
		ctx, cancel := context.WithTimeout(ctx, c.RequestTimeout)
		defer cancel()
		if _, err := auth.CreateAccount(ctx, db, auth.NewHasher(1), u, password); err != nil {
			return fmt.Errorf("create the account: %w", err)
		}
		done := "%s has an account now.\n"
		if u.Role == model.RoleAdmin {
			done = "%s is an administrator now.\n"
		}
		_, err = fmt.Fprintf(c.Stdout, done, u.Email)
		return err
	})
}

// withStore is withDatabase for the records. The database has the newest schema.
func (c call) withStore(ctx context.Context, f func(context.Context, *store.Store) error) error {
	rules, err := c.Policy()
	if err != nil {
		return err
	}
	return c.withDatabase(ctx, func(ctx context.Context, url string) error {
		if _, err := store.Prepare(ctx, url, store.Preparation{Migrate: c.Migrate, AdminURL: string(c.AdminURL), Log: c.log}); err != nil {
			return err
		}
		secrets, err := c.secrets()
		if err != nil {
			return err
		}
		db, err := store.Open(ctx, url, store.Options{
			Policy: rules, Secrets: secrets, Connections: c.DatabaseConns, ReadConnections: c.DatabaseReadConns,
			Pooler: store.Pooler(c.DatabasePooler), Prepared: store.Prepared(c.Prepared),
			Client: "cli",
		})
		if err != nil {
			return err
		}
		defer db.Close()
		return f(ctx, db)
	})
}

// secrets returns the secrets of the servers on the database, nil if no server has made
// the key file yet.
func (c call) secrets() ([][]byte, error) {
	if _, err := os.Stat(c.Keys); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	keys, err := auth.LoadOrCreateKeys(c.Keys, c.JWTAlgorithm)
	if err != nil {
		return nil, err
	}
	return keys.DeriveAll("caregraph store")
}

// withDatabase calls f with the database, also while a server runs on it. Then it
// names the database: a command without the server's settings writes to another one.
func (c call) withDatabase(ctx context.Context, f func(ctx context.Context, url string) error) error {
	database, err := c.database()
	if err != nil {
		return err
	}
	running, err := pgserver.Running(ctx)
	if err != nil {
		return err
	}
	if c.DatabaseURL != "" || !slices.Contains(running, database) {
		for _, dir := range running {
			c.log.WarnContext(ctx, "a server runs on another data directory: to write to its database, use its --data and no DATABASE_URL", "data", dir)
		}
	}
	err = pgserver.With(ctx, pgserver.Database{
		URL: string(c.DatabaseURL), DataDir: c.Data, Attach: true, StopTimeout: c.ShutdownTimeout, Log: c.log,
	}, f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "The database is in %s.\n", database)
	return err
}

// database returns the data directory, or the place that the address names.
func (c call) database() (string, error) {
	if c.DatabaseURL == "" {
		return filepath.Abs(c.Data)
	}
	return store.Place(string(c.DatabaseURL))
}

func publishKey() Command {
	return Command{
		name: "keys publish", summary: "add a signing key that only verifies; distribute copies of the file before keys rotate",
		run: func(_ context.Context, c call) error {
			if _, err := auth.PublishKey(c.Keys, c.JWTAlgorithm); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.Stdout, "The new key verifies tokens and signs none. Copy the file to every server, then run caregraph keys rotate on each.")
			return err
		},
	}
}

func rotateKeys() Command {
	return Command{
		name: "keys rotate", summary: "sign with the published key, or else with a new one; older keys still verify",
		run: func(ctx context.Context, c call) error {
			before, err := auth.LoadKeys(c.Keys, c.JWTAlgorithm)
			if err != nil {
				return err
			}
			if _, err := auth.RotateKeys(c.Keys, c.JWTAlgorithm); err != nil {
				return err
			}
			if !before.HasPublished() && c.mayHaveCopies(ctx) {
				c.log.WarnContext(ctx, "no key was published before: servers with copies of this file refuse tokens of the new key until they have the new file. "+
					"One shared file is safe.", "keys", c.Keys)
			}
			_, err = fmt.Fprintln(c.Stdout, "A server signs with the new key after its next start, or when it sees a token of that key. Tokens of the older keys stay valid.")
			return err
		},
	}
}

// mayHaveCopies reports whether other servers may have copies of the key file. The private
// PostgreSQL has one server, whose file is in the data directory.
func (c call) mayHaveCopies(ctx context.Context) bool {
	if c.DatabaseURL == "" {
		return filepath.Dir(c.Keys) != filepath.Clean(c.Data)
	}
	running, err := store.Servers(ctx, string(c.DatabaseURL))
	return err != nil || len(running) > 1
}
