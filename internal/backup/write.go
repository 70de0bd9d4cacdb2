package backup

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// Source is the database to copy.
type Source struct {
	URL string
	// Format is Physical or Dump. Only a cluster of our own can be Physical.
	Format string
	// Keys is the file of the signing keys. It may be missing.
	Keys              string
	Version, Revision string
	// Recipients are age recipients. Without any the backup is not encrypted.
	Recipients []string
	// Places are where PostgreSQL's programs are; the zero value is this machine.
	Places pgserver.Places
}

// Written is a backup that was written.
type Written struct {
	File     string
	Manifest Manifest
	// InDir is set for one of several backups in a directory, and Removed are the older ones
	// there that were removed.
	InDir   bool
	Removed []string
}

// Write writes a backup of the source to path or, if that is a directory, to a file in it
// with the time in its name; then it removes older ones, so that keep remain. The file
// exists only if it is complete.
func Write(ctx context.Context, s Source, path string, keep int) (Written, error) {
	w := Written{Manifest: Manifest{Format: s.Format, Version: s.Version, Revision: s.Revision, StartedAt: time.Now().UTC()}}
	file, isDir := target(path, w.Manifest.StartedAt, len(s.Recipients) > 0)
	err := writeFile(file, func(out io.Writer) error {
		stream, err := seal(out, s.Recipients)
		if err != nil {
			return err
		}
		if err := s.write(ctx, stream, &w.Manifest); err != nil {
			return err
		}
		return stream.Close()
	})
	if err != nil {
		return Written{}, fmt.Errorf("backup: %w", err)
	}
	w.File, w.InDir = file, isDir
	if isDir {
		if w.Removed, err = prune(path, keep); err != nil {
			return w, fmt.Errorf("remove older backups: %w", err)
		}
	}
	return w, nil
}

func (s Source) write(ctx context.Context, out io.Writer, manifest *Manifest) error {
	conn, err := connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	if err := manifest.describe(ctx, conn); err != nil {
		return err
	}
	m := newMembers(out)
	copyAll := s.physical
	if s.Format == Dump {
		copyAll = s.dump
	}
	if err := copyAll(ctx, conn, m, manifest); err != nil {
		return err
	}
	keys, err := os.ReadFile(s.Keys)
	if err == nil {
		err = m.addFile(keysName, keys)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	manifest.EndedAt, manifest.Members = time.Now().UTC(), m.hashes
	return m.end(*manifest)
}

// physical copies the cluster by pg_basebackup, then the log up to a restore point at
// which it knows the number of rows. A replication slot keeps the log until then.
func (s Source) physical(ctx context.Context, conn *pgx.Conn, m *members, manifest *Manifest) error {
	reader, err := connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer closeConn(ctx, reader)
	id := strings.ToLower(rand.Text())
	if _, err := conn.Exec(ctx, "SELECT pg_create_physical_replication_slot($1, true, true)", "caregraph_backup_"+id); err != nil {
		return fmt.Errorf("keep the log: %w", err)
	}
	last, err := s.baseBackup(ctx, m, manifest)
	if err != nil {
		return err
	}
	names, err := tables(ctx, conn)
	if err != nil {
		return err
	}
	manifest.RestorePoint = "caregraph-backup-" + id
	if err := atOneMoment(ctx, conn, reader, names, manifest.RestorePoint); err != nil {
		return err
	}
	if err := addLog(ctx, conn, m, last); err != nil {
		return err
	}
	manifest.Rows, err = countRows(ctx, reader, names)
	return err
}

const walDir = clusterPrefix + "pg_wal/"

var segmentName = regexp.MustCompile(`^[0-9A-F]{24}$`)

// baseBackup adds what pg_basebackup writes. last is the last segment of the log in it.
func (s Source) baseBackup(ctx context.Context, m *members, manifest *Manifest) (last string, err error) {
	tool, err := s.Places.Tool(ctx, "pg_basebackup", manifest.Major)
	if err != nil {
		return "", err
	}
	// PostgreSQL waits for no checkpoint that is spread over minutes.
	run, err := newTool(ctx, tool, s.URL, "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--manifest-checksums=SHA256")
	if err != nil {
		return "", err
	}
	err = run.read(func(out io.Reader) error {
		archive := tar.NewReader(out)
		for {
			header, err := archive.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(header.Name, "./")
			header.Name = clusterPrefix + name
			var content io.Reader = archive
			if small := map[string]func([]byte) error{"backup_label": manifest.readLabel, "backup_manifest": manifest.readStop}[name]; small != nil {
				text, err := io.ReadAll(archive)
				if err != nil {
					return err
				}
				if err := small(text); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				content = strings.NewReader(string(text))
			}
			if dir, segment := filepath.Split(name); dir == "pg_wal/" && segmentName.MatchString(segment) {
				last = max(last, segment)
			}
			if err := m.add(header, content); err != nil {
				return err
			}
		}
	})
	if err == nil && (last == "" || manifest.StartLSN == "" || manifest.StopLSN == "") {
		err = errors.New("pg_basebackup wrote no complete copy")
	}
	return last, err
}

var labelStart = regexp.MustCompile(`(?m)^START WAL LOCATION: ([0-9A-F/]+) `)

func (m *Manifest) readLabel(text []byte) error {
	found := labelStart.FindSubmatch(text)
	if found == nil {
		return errors.New("it has no START WAL LOCATION")
	}
	m.StartLSN = string(found[1])
	return nil
}

func (m *Manifest) readStop(text []byte) error {
	var backup struct {
		Ranges []struct {
			End string `json:"End-LSN"`
		} `json:"WAL-Ranges"`
	}
	if err := json.Unmarshal(text, &backup); err != nil {
		return err
	}
	if len(backup.Ranges) != 1 {
		return errors.New("the timeline changed during the backup")
	}
	m.StopLSN = backup.Ranges[0].End
	return nil
}

// addLog adds the segments of the log after last, up to the present end.
func addLog(ctx context.Context, conn *pgx.Conn, m *members, last string) error {
	// It also writes what is still in memory: before that the last segment may have no file.
	var end string
	if err := conn.QueryRow(ctx, "SELECT pg_walfile_name(pg_switch_wal())").Scan(&end); err != nil {
		return fmt.Errorf("end the segment of the log: %w", err)
	}
	rows, err := conn.Query(ctx, "SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name > $1 AND name <= $2 ORDER BY 1", last, end)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("list the log: %w", err)
	}
	if !slices.Contains(names, end) {
		return fmt.Errorf("the log lacks %s", end)
	}
	for _, name := range names {
		var content []byte
		if err := conn.QueryRow(ctx, "SELECT pg_read_binary_file('pg_wal/' || $1)", name).Scan(&content); err != nil {
			return fmt.Errorf("read the log %s: %w", name, err)
		}
		if err := m.addFile(walDir+name, content); err != nil {
			return err
		}
	}
	return nil
}
