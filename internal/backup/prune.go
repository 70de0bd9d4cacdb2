package backup

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// timelineDigits are those of a segment's name before its position in the log.
const timelineDigits = 8

// prunable matches the files of the archive that have a position. Histories of timelines stay.
var prunable = regexp.MustCompile(`^([0-9A-F]{24})(?:\.partial|\.[0-9A-F]{8}\.backup)?-[0-9a-f]{32}\.age$`)

// PruneArchive removes the files of the archive that no backup needs which the data directory
// knows and whose file exists. It removes nothing if a backup in dir is not known to it, and then
// returns the name of that one.
func PruneArchive(dataDir, dir, archive string) (removed int, unknown string, err error) {
	starts := readState(dataDir).Starts
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, "", fmt.Errorf("prune the archive: %w", err)
	}
	for _, entry := range entries {
		path, err := filepath.Abs(filepath.Join(dir, entry.Name()))
		if err != nil {
			return 0, "", fmt.Errorf("prune the archive: %w", err)
		}
		if _, known := starts[path]; ours.MatchString(entry.Name()) && !known {
			return 0, entry.Name(), nil
		}
	}
	segments := slices.DeleteFunc(slices.Collect(maps.Values(starts)), func(name string) bool { return !segmentName.MatchString(name) })
	if len(segments) == 0 {
		return 0, "", nil
	}
	removed, err = pruneBefore(archive, slices.MinFunc(segments, compareSegments))
	if err != nil {
		err = fmt.Errorf("prune the archive: %w", err)
	}
	return removed, "", err
}

// compareSegments compares positions in the log; the timeline does not matter.
func compareSegments(a, b string) int { return cmp.Compare(a[timelineDigits:], b[timelineDigits:]) }

// pruneBefore removes what is before the segment.
func pruneBefore(archive, first string) (removed int, err error) {
	entries, err := os.ReadDir(archive)
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		name := prunable.FindStringSubmatch(entry.Name())
		if name == nil || compareSegments(name[1], first) >= 0 {
			continue
		}
		if failed := os.Remove(filepath.Join(archive, entry.Name())); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed++
	}
	return removed, err
}
