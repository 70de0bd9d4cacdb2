package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// cluster is a private PostgreSQL with the settings that the server gives its
// own: on disk, and durable. It has room for the connections of all contenders.
type cluster struct {
	server *pgserver.Server
	// pid is the postmaster, whose children do the work.
	pid     int
	version string
}

func startCluster(ctx context.Context, dir string) (*cluster, error) {
	c := &cluster{}
	var err error
	if c.server, err = pgserver.Start(ctx, pgserver.Options{DataDir: dir}); err != nil {
		return nil, err
	}
	// This takes effect with the next start.
	err = c.exec(ctx, "ALTER SYSTEM SET max_connections = 300")
	c.stop()
	if err != nil {
		return nil, err
	}
	if c.server, err = pgserver.Start(ctx, pgserver.Options{DataDir: dir}); err != nil {
		return nil, err
	}
	if err := c.identify(ctx, dir); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *cluster) identify(ctx context.Context, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid")) //nolint:gosec // G304: our own cluster
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if c.pid, err = strconv.Atoi(first); err != nil {
		return fmt.Errorf("read postmaster.pid: %w", err)
	}
	db, err := pgx.Connect(ctx, c.server.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	return db.QueryRow(ctx, "SHOW server_version").Scan(&c.version)
}

// create makes an empty database and returns its address.
func (c *cluster) create(ctx context.Context, name string) (string, error) {
	if err := c.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u, err := url.Parse(c.server.URL())
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// drop frees the disk for the next database.
func (c *cluster) drop(ctx context.Context, name string) error {
	return c.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
}

// exec runs a statement in the default database.
func (c *cluster) exec(ctx context.Context, sql string) error {
	db, err := pgx.Connect(ctx, c.server.URL())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	_, err = db.Exec(ctx, sql)
	return err
}

func (c *cluster) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = c.server.Stop(ctx) // the directory is removed next
}
