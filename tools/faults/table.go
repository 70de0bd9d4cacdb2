package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// fault is one row of the list.
type fault struct {
	id, title string
	tests     []testName
	// note says why there is no test; it begins with open: or documented:.
	note string
}

// testName is a test, a fuzz test with its seeds, or a subtest with a slash in its name,
// of a package.
type testName struct{ pkg, name string }

var (
	row      = regexp.MustCompile(`^\| (F\d+) \| (.+?) \| (.*?) ?\|$`)
	oneTest  = regexp.MustCompile(`^(?:Test|Fuzz)\w+(/\S+)?$`)
	withNote = regexp.MustCompile(`^(open|documented): `)
)

// parse returns the rows of the list, in their order. The column of tests is
// `package: TestA, TestB; package: TestC`, or a note.
func parse(text string) ([]fault, error) {
	var faults []fault
	seen := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		cells := row.FindStringSubmatch(line)
		if cells == nil {
			continue
		}
		f := fault{id: cells[1], title: cells[2]}
		if seen[f.id] {
			return nil, fmt.Errorf("%s: %s has two rows", faultsFile, f.id)
		}
		seen[f.id] = true
		if err := f.read(cells[3]); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", faultsFile, f.id, err)
		}
		faults = append(faults, f)
	}
	for n := range lastID {
		if id := fmt.Sprintf("F%d", n+1); !seen[id] {
			return nil, fmt.Errorf("%s: %s has no row", faultsFile, id)
		}
	}
	return faults, nil
}

func (f *fault) read(cell string) error {
	cell = strings.ReplaceAll(cell, "`", "")
	if withNote.MatchString(cell) {
		f.note = cell
		return nil
	}
	for _, group := range strings.Split(cell, ";") {
		pkg, names, found := strings.Cut(group, ":")
		if !found {
			return fmt.Errorf("%q is not `package: TestA, TestB`", cell)
		}
		for _, name := range strings.Split(names, ",") {
			name = strings.TrimSpace(name)
			if !oneTest.MatchString(name) {
				return fmt.Errorf("%q is not the name of a test", name)
			}
			f.tests = append(f.tests, testName{strings.TrimSpace(pkg), name})
		}
	}
	return nil
}

// choose returns the faults with the ids, or all if there are no ids.
func choose(faults []fault, ids []string) ([]fault, error) {
	if len(ids) == 0 {
		return faults, nil
	}
	var chosen []fault
	for _, id := range ids {
		i := slices.IndexFunc(faults, func(f fault) bool { return f.id == id })
		if i < 0 {
			return nil, fmt.Errorf("there is no fault %s", id)
		}
		chosen = append(chosen, faults[i])
	}
	return chosen, nil
}

// report prints one line for each test of each fault. The error says how many
// tests did not pass.
func report(out io.Writer, faults []fault, results map[testName]string) error {
	failed := 0
	for _, f := range faults {
		if f.note != "" {
			_, _ = fmt.Fprintf(out, "%-4s %s\n", f.id, f.note)
		}
		for _, t := range f.tests {
			result := results[t]
			if result == "" {
				result = "missing"
			}
			if result != "pass" {
				failed++
			}
			_, _ = fmt.Fprintf(out, "%-4s %-7s %s: %s\n", f.id, result, t.pkg, t.name)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d tests did not pass", failed)
	}
	return nil
}
