package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
)

// backups are the commands for the care of the database.
func backups() []Command {
	return []Command{verifyBackup(), writeBackup(), restore(), putLog(), upgradePostgres()}
}

// recipient is the flag of age recipients.
func recipient(to *[]string) settings.Option {
	return settings.Option{Name: "recipient", Value: "age1...", Repeats: true, Set: func(text string) error {
		*to = strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
		return nil
	}}
}

// word is a flag with any text.
func word(name, value string, to *string) settings.Option {
	return settings.Option{Name: name, Value: value, Set: func(text string) error { *to = text; return nil }}
}

func writeBackup() Command {
	var recipients []string
	var plaintext, prune bool
	var format string
	keep := 0
	return Command{
		name: "backup", args: []string{"FILE"}, summary: "copy the database and the keys to a file, or to a new file of a directory; servers may run",
		options: []settings.Option{
			recipient(&recipients), settings.Switch("plaintext", &plaintext), settings.Switch("prune-archive", &prune),
			{Name: "format", Value: "physical|dump", Set: func(text string) error {
				if format = text; text != "" && text != backup.Physical && text != backup.Dump {
					return errors.New("must be physical or dump")
				}
				return nil
			}},
			{Name: "keep", Value: "N", Set: func(text string) (err error) {
				if keep, err = strconv.Atoi(cmp.Or(text, "14")); err != nil || keep < 1 {
					return errors.New("must be a whole number from 1 on")
				}
				return nil
			}},
		},
		run: func(ctx context.Context, c call) error {
			all, err := backup.Recipients(recipients, c.RecipientsFile)
			switch {
			case err != nil:
				return err
			case len(all) == 0 && !plaintext:
				return errors.New("backup: name who can read it with --recipient or --recipients-file, or ask for --plaintext")
			case len(all) > 0 && plaintext:
				return errors.New("backup: --plaintext and recipients exclude each other")
			}
			if prune {
				if err := c.mayPrune(); err != nil {
					return err
				}
			}
			source := backup.Source{Format: format, Keys: c.Keys, Version: c.Version, Revision: BuildOf(c.Version).Name(), Recipients: all}
			if err := c.backup(ctx, source, keep); err != nil || !prune {
				return err
			}
			return c.pruneArchive()
		},
	}
}

// mayPrune fails unless it is clear which backups and which archive belong together.
func (c call) mayPrune() error {
	info, err := os.Stat(c.args[0])
	switch {
	case c.DatabaseURL != "":
		return errors.New("--prune-archive: is for the archive of the private PostgreSQL")
	case c.ArchiveDir == "":
		return errors.New("--prune-archive: needs --archive-dir, the archive of the server")
	case err != nil || !info.IsDir():
		return errors.New("--prune-archive: needs a directory of backups, not a file")
	}
	return nil
}

func (c call) pruneArchive() error {
	removed, unknown, err := backup.PruneArchive(c.Data, c.args[0], c.ArchiveDir)
	if err != nil {
		return err
	}
	if unknown != "" {
		_, err = fmt.Fprintf(c.Stdout, "The archive keeps all its files as long as %s is there: it is not known from where on that backup needs them.\n", unknown)
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "Removed %d files of the archive that no backup needs.\n", removed)
	return err
}

// backup writes a backup of the database that the settings name.
func (c call) backup(ctx context.Context, source backup.Source, keep int) error {
	private := c.DatabaseURL == ""
	if private {
		source.Format = cmp.Or(source.Format, backup.Physical)
		if major, err := pgserver.Major(c.Data); err != nil || major == 0 {
			return cmp.Or(err, fmt.Errorf("backup: %s has no database", c.Data))
		}
	} else {
		source.Format = cmp.Or(source.Format, backup.Dump)
		if source.Format == backup.Physical {
			return errors.New("backup: --format=physical is for the private PostgreSQL; a DATABASE_URL has --format=dump, or the tools of its provider")
		}
		// A pooler in between could change the connection.
		c.DatabaseURL = cmp.Or(c.AdminURL, c.DatabaseDirectURL, c.DatabaseURL)
	}
	database := pgserver.Database{URL: string(c.DatabaseURL), DataDir: c.Data, Attach: true, StopTimeout: c.ShutdownTimeout, Log: c.log}
	return pgserver.With(ctx, database, func(ctx context.Context, url string) error {
		source.URL = url
		written, err := backup.Write(ctx, source, c.args[0], keep)
		if written.File == "" {
			return err
		}
		err = errors.Join(err, backup.Note(c.Data, written))
		_, failed := fmt.Fprintf(c.Stdout, "%s is complete: %s, PostgreSQL %s, schema %s, %d rows.\n", written.File,
			written.Manifest.Format, written.Manifest.PostgreSQL, written.Manifest.Schema, total(written.Manifest))
		for _, name := range written.Removed {
			_, failed = fmt.Fprintf(c.Stdout, "Removed %s.\n", name)
		}
		if written.InDir {
			gone := written.Manifest.EndedAt.AddDate(0, 0, keep).Format(time.DateOnly)
			_, failed = fmt.Fprintf(c.Stdout, "What is erased now stays in backups here until %d more are made: with one a day until %s.\n", keep, gone)
		}
		return errors.Join(err, failed)
	})
}

func total(m backup.Manifest) (rows int64) {
	for _, n := range m.Rows {
		rows += n
	}
	return rows
}

func verifyBackup() Command {
	var identity string
	var start bool
	return Command{
		name: "backup verify", args: []string{"FILE"}, summary: "decrypt a backup and compare all of it with its manifest; --start also restores it and checks each table",
		options: []settings.Option{word("identity", "KEY", &identity), settings.Switch("start", &start)},
		run: func(ctx context.Context, c call) error {
			m, err := backup.Verify(c.args[0], identity)
			if err == nil && start {
				_, err = backup.VerifyStart(ctx, backup.Restoration{File: c.args[0], Identity: identity, Log: c.log})
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.Stdout, "%s is good: %s of %s, %d members, %d rows.\n", c.args[0], m.Format, m.EndedAt.Format(time.RFC3339), len(m.Members), total(m))
			return err
		},
	}
}

func restore() Command {
	var r backup.Restoration
	return Command{
		name: "restore", args: []string{"FILE"}, summary: "make --data from a backup; with --archive and --to as the database was at a time",
		options: []settings.Option{
			word("identity", "KEY", &r.Identity), word("archive", "DIR", &r.Archive),
			{Name: "to", Value: "TIME", Set: func(text string) (err error) {
				if r.To = (time.Time{}); text == "" {
					return nil
				}
				if r.To, err = time.Parse(time.RFC3339, text); err != nil {
					return errors.New("must be a time with its zone, such as 2026-11-28T10:00:00+05:30")
				}
				return nil
			}},
			settings.Switch("keep-sessions", &r.KeepSessions),
		},
		run: func(ctx context.Context, c call) error {
			if c.DatabaseURL != "" {
				return errors.New("restore: makes a data directory with a private PostgreSQL: unset DATABASE_URL")
			}
			r.File, r.Log = c.args[0], c.log
			done, err := backup.Restore(ctx, r, c.Data)
			if err != nil {
				return err
			}
			newest := "There is no record"
			if !done.Newest.IsZero() {
				newest = "The newest record is of " + done.Newest.Format(time.RFC3339)
			}
			_, err = fmt.Fprintf(c.Stdout, `%s is restored: %d accounts, %d patients, %d doctors, %d mappings.
%s. %d sessions ended.

Check before people use it:
  the newest record is as new as you expect;
  what was erased, deleted or revoked after the backup is there again: do it again;
  mails that waited in the backup are sent, also if they were sent before;
  an archive of the log needs a new directory, and a new backup.
Start it: caregraph serve --data %s
`, c.Data, done.Accounts, done.Patients, done.Doctors, done.Mappings, newest, done.Sessions, c.Data)
			return err
		},
	}
}

func putLog() Command {
	var recipients []string
	return Command{
		name: "wal put", args: []string{"FILE"}, summary: "archive a file of PostgreSQL's log in --archive-dir; serve --archive-dir makes PostgreSQL run it",
		options: []settings.Option{recipient(&recipients)},
		run: func(_ context.Context, c call) error {
			all, err := backup.Recipients(recipients, c.RecipientsFile)
			if err != nil {
				return err
			}
			if c.ArchiveDir == "" {
				return errors.New("wal put: name the archive with --archive-dir")
			}
			return backup.PutLog(c.args[0], c.ArchiveDir, all)
		},
	}
}
