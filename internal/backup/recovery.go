package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
)

// spoolName is the directory with the archived log that PostgreSQL reads while it recovers.
const spoolName = "wal"

// recovery returns the settings with which PostgreSQL recovers the copy to its restore point
// or to the time, and then lets others write.
func (r Restoration) recovery(m Manifest, dir string, root *os.Root, identities []age.Identity, give func(string) error) ([]string, error) {
	signal := clusterPrefix + "recovery.signal"
	if err := writeMember(root, signal, strings.NewReader("")); err != nil {
		return nil, err
	}
	if err := give(filepath.Join(dir, signal)); err != nil {
		return nil, err
	}
	if r.To.IsZero() {
		return []string{"recovery_target_action=promote", "restore_command=false", "recovery_target_name=" + m.RestorePoint}, nil
	}
	if r.To.Before(m.EndedAt) {
		return nil, fmt.Errorf("--to: must be after the end of the backup, %s", m.EndedAt.Format(time.RFC3339))
	}
	if err := spool(r.Archive, m, root, dir, identities, give); err != nil {
		return nil, err
	}
	// PostgreSQL runs the command in the directory of the cluster.
	return []string{
		"recovery_target_action=promote", `restore_command=cp "../` + spoolName + `/%f" "%p"`,
		"recovery_target_time=" + r.To.UTC().Format("2006-01-02 15:04:05.999999+00"),
	}, nil
}

// archivedName matches the names of the archive: that of PostgreSQL, and the beginning of the
// SHA-256 of the content.
var archivedName = regexp.MustCompile(`^([0-9A-F]{24}|[0-9A-F]{8}\.history)-([0-9a-f]{32})\.age$`)

// spool decrypts what the recovery of the backup may need. It refuses an archive that is
// damaged or has a gap, by the name of the part.
func spool(archive string, m Manifest, root *os.Root, dir string, identities []age.Identity, give func(string) error) error {
	entries, err := os.ReadDir(archive)
	if err != nil {
		return fmt.Errorf("--archive: %w", err)
	}
	if err := root.Mkdir(spoolName, 0o700); err != nil {
		return err
	}
	first, err := segmentAfter(m)
	if err != nil {
		return err
	}
	var segments []string
	for _, entry := range entries {
		name := archivedName.FindStringSubmatch(entry.Name())
		if name == nil || segmentName.MatchString(name[1]) && name[1][8:] < first[8:] {
			continue
		}
		if segmentName.MatchString(name[1]) {
			segments = append(segments, name[1])
		}
		if err := unarchive(filepath.Join(archive, entry.Name()), name[2], root, spoolName+"/"+name[1], identities); err != nil {
			return err
		}
		if err := give(filepath.Join(dir, spoolName, name[1])); err != nil {
			return err
		}
	}
	if err := checkNoGap(segments, first); err != nil {
		return err
	}
	return give(filepath.Join(dir, spoolName))
}

// segmentAfter returns the name of the segment after the one with the end of the backup: the
// backup itself has all before.
func segmentAfter(m Manifest) (string, error) {
	var timeline string
	for member := range m.Members {
		if name, found := strings.CutPrefix(member, walDir); found && segmentName.MatchString(name) {
			timeline = max(timeline, name)
		}
	}
	if timeline == "" {
		return "", &DamagedError{Part: "member " + walDir, Err: os.ErrNotExist}
	}
	return nextSegment(timeline)
}

// nextSegment returns the name after that of a segment of 16 MiB.
func nextSegment(name string) (string, error) {
	high, err := strconv.ParseUint(name[8:16], 16, 32)
	low, err2 := strconv.ParseUint(name[16:], 16, 32)
	if err := errors.Join(err, err2); err != nil {
		return "", err
	}
	if low++; low > 0xFF {
		high, low = high+1, 0
	}
	return fmt.Sprintf("%s%08X%08X", name[:8], high, low), nil
}

// checkNoGap refuses an archive whose first timeline lacks a segment from first on.
func checkNoGap(segments []string, first string) error {
	slices.Sort(segments)
	for want := first; ; {
		at := slices.IndexFunc(segments, func(name string) bool { return name[:8] == first[:8] && name >= want })
		if at < 0 {
			return nil
		}
		if segments[at] != want {
			return &DamagedError{Part: "segment " + want + " of the archive", Err: os.ErrNotExist}
		}
		var err error
		if want, err = nextSegment(want); err != nil {
			return err
		}
	}
}

// unarchive decrypts a file of the archive and compares its hash with that in its name. Blocks
// of zeros, of which segments are full that a timeout ended, take no space.
func unarchive(path, sum string, root *os.Root, name string, identities []age.Identity) error {
	damaged := func(err error) error {
		return &DamagedError{Part: "file " + filepath.Base(path) + " of the archive", Err: err}
	}
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the archive
	if err != nil {
		return damaged(err)
	}
	defer func() { _ = file.Close() }() // read only
	plain, release, err := unseal(file, identities)
	if err != nil {
		return damaged(err)
	}
	defer release()
	text, err := io.ReadAll(io.LimitReader(plain, maxSegment))
	if err != nil {
		return damaged(err)
	}
	if found := contentSum(text); found != sum {
		return damaged(errors.New("its SHA-256 is another one than in its name"))
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(writeSparse(out, text), out.Close())
}

func writeSparse(out *os.File, text []byte) error {
	const block = 64 << 10
	var zeros [block]byte
	for at := 0; at < len(text); at += block {
		part := text[at:min(at+block, len(text))]
		if string(part) == string(zeros[:len(part)]) {
			continue
		}
		if _, err := out.WriteAt(part, int64(at)); err != nil {
			return err
		}
	}
	return out.Truncate(int64(len(text)))
}
