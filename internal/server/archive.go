package server

import (
	"errors"
	"os"

	"github.com/caregraph/caregraph/internal/backup"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
)

// archiver returns where the private PostgreSQL archives its log, nil for nowhere.
func archiver(s settings.Settings) (*pgserver.Archive, error) {
	switch {
	case s.ArchiveDir == "":
		return nil, nil //nolint:nilnil // no archive is no error
	case s.DatabaseURL != "":
		return nil, errors.New("--archive-dir: is for the private PostgreSQL; archive the log of your own as its documentation says")
	}
	recipients, err := backup.Recipients(nil, s.RecipientsFile)
	switch {
	case err != nil:
		return nil, err
	case len(recipients) == 0:
		return nil, errors.New("--archive-dir: needs --recipients-file, because the archive is always encrypted")
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return backup.Archive(program, s.Data, s.ArchiveDir, recipients), nil
}
