// Command contract compares schema.graphqls with the schema of the last release
// and fails when CHANGELOG.md does not name a change that can break a client.
// docs/compatibility.md has the promise that it checks.
//
// The released schema is a copy in this directory, so the check needs no tags.
// With --release the command checks the changes of that release, then writes
// the copy.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

const (
	schemaFile    = "schema.graphqls"
	releasedFile  = "tools/contract/released.graphqls"
	changelogFile = "CHANGELOG.md"

	// header is the first line of the copy. It names the release.
	header = "# Release %s of schema.graphqls. Do not edit it: `make release-schema` writes it.\n"
)

func main() {
	release := flag.String("release", "", "check the changes of this version, then keep schema.graphqls as its schema")
	flag.Parse()
	// go run -C tools starts the command in tools.
	if err := run("..", *release, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run checks the repository in dir. A version makes it the release of that
// version. The error lists every fault, one a line.
func run(dir, version string, out io.Writer) error {
	var texts [3]string
	for i, name := range []string{schemaFile, releasedFile, changelogFile} {
		text, err := os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // G304: a file of the repository
		if err != nil {
			return fmt.Errorf("read the contract: %w", err)
		}
		texts[i] = string(text)
	}
	var last string
	if _, err := fmt.Sscanf(texts[1], header, &last); err != nil {
		return fmt.Errorf("%s does not name its release in the first line: %w", releasedFile, err)
	}
	changelog, err := entryToCheck(parseChangelog(texts[2]), last, version)
	if err != nil {
		return err
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: schemaFile, Input: texts[0]})
	if err != nil {
		return fmt.Errorf("parse the schema: %w", err)
	}
	released, err := gqlparser.LoadSchema(&ast.Source{Name: releasedFile, Input: texts[1]})
	if err != nil {
		return fmt.Errorf("parse the released schema: %w", err)
	}
	changes := compare(released, schema)
	if faults := unnamed(changes, changelog); len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	if version != "" {
		text := fmt.Sprintf(header, version) + texts[0]
		if err := os.WriteFile(filepath.Join(dir, releasedFile), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the released schema: %w", err)
		}
	}
	_, err = fmt.Fprintf(out, "%d changes since %s that clients may notice; CHANGELOG.md names each one\n", len(changes), last)
	return err
}

// entryToCheck returns the entry of the changelog that has to name the changes:
// the one of the version, or [Unreleased] without a version.
func entryToCheck(entries []entry, last, version string) (entry, error) {
	unreleased := entry{version: "Unreleased"}
	if len(entries) > 0 && entries[0].version == unreleased.version {
		unreleased, entries = entries[0], entries[1:]
	}
	switch {
	case len(entries) == 0:
		return entry{}, fmt.Errorf("%s has no release", changelogFile)
	case version == "" && entries[0].version == last:
		return unreleased, nil
	case version == "":
		return entry{}, fmt.Errorf("%s has release %s, but %s is the schema of %s: run `make release-schema VERSION=%[2]s`",
			changelogFile, entries[0].version, releasedFile, last)
	case version != entries[0].version:
		return entry{}, fmt.Errorf("the newest release in %s is %s, not %s", changelogFile, entries[0].version, version)
	case version == last:
		return entry{}, fmt.Errorf("%s already is the schema of %s", releasedFile, version)
	default:
		return entries[0], nil
	}
}
