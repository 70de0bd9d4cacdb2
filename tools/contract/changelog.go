package main

import (
	"fmt"
	"slices"
	"strings"
)

// entry is one version of the changelog, with the text below each heading.
type entry struct {
	version  string
	sections map[string]string
}

// parseChangelog returns the entries in the order of the file: newest first.
func parseChangelog(text string) []entry {
	var entries []entry
	var heading string
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "## ["); ok {
			version, _, _ := strings.Cut(title, "]")
			entries = append(entries, entry{version, map[string]string{}})
			heading = ""
		} else if title, ok := strings.CutPrefix(line, "### "); ok {
			heading = strings.TrimSpace(title)
		} else if len(entries) > 0 {
			entries[len(entries)-1].sections[heading] += line
		}
	}
	return entries
}

// unnamed returns a line for each change that the entry does not name, and for
// each removal that came without a deprecation.
func unnamed(changes []change, e entry) []string {
	var faults []string
	for _, c := range changes {
		if c.undeprecated {
			faults = append(faults, fmt.Sprintf("%s: %s, but it is not @deprecated in the last release; see docs/compatibility.md", c.at, c.what))
		}
		named := func(section string) bool { return strings.Contains(e.sections[section], "`"+c.at+"`") }
		if sections := c.sections(); !slices.ContainsFunc(sections, named) {
			faults = append(faults, fmt.Sprintf("%s: %s; CHANGELOG.md names no such line under %q or %q in [%s]",
				c.at, c.what, sections[0], sections[1], e.version))
		}
	}
	return faults
}
