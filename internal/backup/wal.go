package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// maxSegment bounds a file of the log: a segment of PostgreSQL has 16 MiB unless someone
// chose another size for the cluster.
const maxSegment = 1 << 30

// logFile matches the names of files that PostgreSQL archives.
var logFile = regexp.MustCompile(`^[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?$|^[0-9A-F]{8}\.history$`)

// Archive returns how the private PostgreSQL of a data directory archives its log: the
// program is our own, and puts each file into dir.
func Archive(program, dataDir, dir string, recipients []string) *pgserver.Archive {
	command := []string{program, "wal", "put", "--data", dataDir, "--archive-dir", dir}
	for _, recipient := range recipients {
		command = append(command, "--recipient", recipient)
	}
	return &pgserver.Archive{Dir: dir, Program: command}
}

// PutLog archives one file of PostgreSQL's log, compressed and encrypted. It returns when the
// file is on disk. The same file again changes nothing; the same name with other content is
// an error. The name in the archive ends with the beginning of the content's SHA-256.
func PutLog(file, archive string, recipients []string) error {
	if len(recipients) == 0 {
		return errors.New("wal put: name a key with --recipient or --recipients-file: the archive is always encrypted")
	}
	name := filepath.Base(file)
	if !logFile.MatchString(name) {
		return fmt.Errorf("wal put: %s is no file of PostgreSQL's log", name)
	}
	content, err := os.ReadFile(file) //nolint:gosec // G304: PostgreSQL names the file
	if err != nil {
		return fmt.Errorf("wal put: %w", err)
	}
	there, err := filepath.Glob(filepath.Join(archive, name+"-*.age"))
	if err != nil {
		return fmt.Errorf("wal put: %w", err)
	}
	target := filepath.Join(archive, name+"-"+contentSum(content)+".age")
	switch {
	case len(there) == 1 && there[0] == target:
		return syncDir(archive) // it may have been renamed just before a crash
	case len(there) > 0:
		return fmt.Errorf("wal put: the archive has another %s: a new or a restored database needs an archive of its own", name)
	}
	err = writeFile(target, func(out io.Writer) error {
		stream, err := seal(out, recipients)
		if err != nil {
			return err
		}
		if _, err := stream.Write(content); err != nil {
			return err
		}
		return stream.Close()
	})
	if err != nil {
		return fmt.Errorf("wal put: %w", err)
	}
	return nil
}

func contentSum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}
