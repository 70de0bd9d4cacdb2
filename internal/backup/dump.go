package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/jackc/pgx/v5"
)

// dumpPart is the size of a member of a dump: its whole size is not known before it ends.
const dumpPart = 16 << 20

// dump adds what pg_dump writes, and counts the rows in the same snapshot.
func (s Source) dump(ctx context.Context, conn *pgx.Conn, m *members, manifest *Manifest) error {
	path, err := s.Places.Tool(ctx, "pg_dump", 0)
	if err != nil {
		return err
	}
	if err := beginSnapshot(ctx, conn); err != nil {
		return err
	}
	var snapshot string
	if err := conn.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
		return fmt.Errorf("export a snapshot: %w", err)
	}
	run, err := newTool(ctx, path, s.URL, "--format=custom", "--compress=0", "--no-owner", "--no-privileges",
		"--no-publications", "--no-subscriptions", "--snapshot="+snapshot)
	if err != nil {
		return err
	}
	if err := run.read(func(out io.Reader) error { return addParts(m, out) }); err != nil {
		return err
	}
	names, err := tables(ctx, conn)
	if err != nil {
		return err
	}
	manifest.Rows, err = countRows(ctx, conn, names)
	return err
}

// addParts adds a stream as members of dumpPart bytes.
func addParts(m *members, out io.Reader) error {
	part := make([]byte, dumpPart)
	for i := 1; ; i++ {
		n, err := io.ReadFull(out, part)
		if n > 0 {
			if err := m.addFile(fmt.Sprintf("%s%08d", dumpPrefix, i), part[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// restoreDump fills the empty database at the URL with the parts in dir.
func restoreDump(ctx context.Context, path, url string, dir *os.Root) error {
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(copyParts(writer, dir)) }()
	return errors.Join(restoreFrom(ctx, path, url, reader), reader.Close())
}

// restoreFrom fills the empty database at the URL with a dump.
func restoreFrom(ctx context.Context, path, url string, dump io.Reader) error {
	run, err := newTool(ctx, path, url, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
	if err != nil {
		return err
	}
	run.cmd.Args = append(run.cmd.Args, "--dbname="+databaseOf(run.cmd.Env))
	run.cmd.Stdin = dump
	return run.run()
}

func copyParts(w io.Writer, dir *os.Root) error {
	for i := 1; ; i++ {
		part, err := dir.Open(fmt.Sprintf("%s%08d", dumpPrefix, i))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = io.Copy(w, part)
		if err := errors.Join(err, part.Close()); err != nil {
			return err
		}
	}
}
