package backup

import (
	"archive/tar"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Verify decrypts a backup and compares all its members with its manifest and, if it is
// physical, with that of PostgreSQL. It writes nothing. The error is a *DamagedError that
// names the first part that is damaged.
func Verify(file, identity string) (Manifest, error) {
	identities, err := readIdentities(identity)
	if err != nil {
		return Manifest{}, err
	}
	var list []byte
	m, err := readFile(file, identities, func(header *tar.Header, content io.Reader) (err error) {
		if header.Name == clusterPrefix+"backup_manifest" {
			list, err = io.ReadAll(io.LimitReader(content, maxManifest))
		}
		return err
	})
	if err == nil && m.Format == Physical {
		err = compareManifests(m, list)
	}
	if err != nil {
		return m, fmt.Errorf("verify %s: %w", filepath.Base(file), err)
	}
	return m, nil
}

// compareManifests compares the members with PostgreSQL's own list of its files.
func compareManifests(m Manifest, list []byte) error {
	var theirs struct {
		Files []struct {
			Path     string `json:"Path"`
			Encoded  string `json:"Encoded-Path"`
			Checksum string `json:"Checksum"`
		}
	}
	if err := json.Unmarshal(list, &theirs); err != nil {
		return &DamagedError{Part: "member " + clusterPrefix + "backup_manifest", Err: err}
	}
	for _, file := range theirs.Files {
		if name, err := hex.DecodeString(file.Encoded); err == nil && file.Encoded != "" {
			file.Path = string(name)
		}
		if m.Members[clusterPrefix+file.Path] != file.Checksum {
			return &DamagedError{Part: "member " + clusterPrefix + file.Path, Err: errors.New("PostgreSQL's manifest has another SHA-256")}
		}
	}
	return nil
}

// VerifyStart restores the backup into a temporary directory, starts PostgreSQL on it,
// compares the rows, and checks all tables, indexes and foreign keys. It needs the space of
// the whole database in the directory for temporary files, where the copy is not encrypted;
// it removes the copy.
func VerifyStart(ctx context.Context, r Restoration) (m Manifest, err error) {
	dir, err := os.MkdirTemp("", "caregraph-verify-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // G302: for root, PostgreSQL runs as another user
		return m, err
	}
	r.KeepSessions = true
	done, err := r.into(ctx, filepath.Join(dir, "data"), r.inspect)
	if err != nil {
		err = fmt.Errorf("verify %s: %w", filepath.Base(r.File), err)
	}
	return done.Manifest, err
}

// inspect checks a copy on which PostgreSQL runs, and that nobody else uses.
func (r Restoration) inspect(ctx context.Context, _ Manifest, url string) error {
	conn, err := connect(ctx, url)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if err := checkForeignKeys(ctx, conn); err != nil {
		return err
	}
	var major int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
		return err
	}
	path, err := r.Places.Tool(ctx, "pg_amcheck", major)
	if err != nil {
		return err
	}
	run, err := newTool(ctx, path, url, "--install-missing", "--heapallindexed")
	if err != nil {
		return err
	}
	run.cmd.Args = append(run.cmd.Args, databaseOf(run.cmd.Env))
	if err := run.run(); err != nil {
		return &DamagedError{Part: "tables or indexes", Err: err}
	}
	return nil
}

// checkForeignKeys lets PostgreSQL validate all foreign keys again.
func checkForeignKeys(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `WITH doubted AS (UPDATE pg_constraint SET convalidated = false WHERE contype = 'f' RETURNING conrelid, conname)
		SELECT format('ALTER TABLE %s VALIDATE CONSTRAINT %I', conrelid::regclass, conname), conname FROM doubted`)
	if err != nil {
		return err
	}
	type check struct{ SQL, Name string }
	checks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[check])
	if err != nil {
		return fmt.Errorf("list the foreign keys: %w", err)
	}
	for _, c := range checks {
		if _, err := conn.Exec(ctx, c.SQL); err != nil {
			return &DamagedError{Part: "foreign key " + c.Name, Err: errors.New(strings.SplitN(err.Error(), "\n", 2)[0])}
		}
	}
	return nil
}
