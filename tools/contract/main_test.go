package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	released  = "# Changelog\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- `Patient.age`\n\n## [0.1.0] - 2026-11-23\n\nFirst.\n"
	before    = "type Query { a: Int @deprecated b: Int e: E } enum E { X }\n"
	without   = "type Query { b: Int e: E } enum E { X }\n"
	withValue = "type Query { a: Int @deprecated b: Int e: E } enum E { X Y }\n"
)

// unreleased returns a changelog with one line under the heading.
func unreleased(heading, line string) string {
	return strings.Replace(released, "## [0.2.0]", "## [Unreleased]\n\n### "+heading+"\n\n- "+line+"\n\n## [0.2.0]", 1)
}

func TestRun(t *testing.T) {
	t.Parallel()
	const removed = `Query.a: removed; CHANGELOG.md names no such line under "Changed" or "Removed" in [Unreleased]`
	for name, test := range map[string]struct {
		schema, changelog, version string
		want                       string // the error, or "" for none
	}{
		"nothing changed":               {before, released, "", ""},
		"no entry at all":               {without, released, "", removed},
		"named as removed":              {without, unreleased("Removed", "the field `Query.a` is gone"), "", ""},
		"named as changed":              {without, unreleased("Changed", "`Query.a`:\n  gone"), "", ""},
		"named as added":                {without, unreleased("Added", "`Query.a`"), "", removed},
		"named under a longer heading":  {without, unreleased("Changed from before", "`Query.a`"), "", removed},
		"named without backticks":       {without, unreleased("Removed", "Query.a"), "", removed},
		"named in part":                 {without, unreleased("Removed", "`Query.ab`"), "", removed},
		"named in an earlier release":   {without, strings.Replace(released, "Added", "Removed", 1), "", removed},
		"named nowhere but the release": {without, strings.Replace(released, "### Added\n", "### Removed\n\n- `Query.a`\n", 1), "", removed},
		"value without a line": {
			withValue, released, "",
			`E.Y: new value that clients may get; CHANGELOG.md names no such line under "Changed" or "Added" in [Unreleased]`,
		},
		"value named as added": {withValue, unreleased("Added", "`E.Y`"), "", ""},
		"not deprecated before": {
			"type Query { a: Int @deprecated e: E } enum E { X }", unreleased("Removed", "`Query.b`"), "",
			"Query.b: removed, but it is not @deprecated in the last release; see docs/compatibility.md",
		},
		"not deprecated and no line": {
			"type Query { a: Int @deprecated e: E } enum E { X }", released, "",
			"Query.b: removed, but it is not @deprecated in the last release; see docs/compatibility.md\n" +
				strings.Replace(removed, "Query.a", "Query.b", 1),
		},
		"schema of a release is missing": {
			before, strings.Replace(released, "## [0.2.0]", "## [0.3.0]\n\n## [0.2.0]", 1), "",
			"CHANGELOG.md has release 0.3.0, but tools/contract/released.graphqls is the schema of 0.2.0: run `make release-schema VERSION=0.3.0`",
		},
		"no release":        {before, "# Changelog\n", "", "CHANGELOG.md has no release"},
		"release":           {without, strings.Replace(unreleased("Removed", "`Query.a`"), "Unreleased", "0.3.0", 1), "0.3.0", ""},
		"release unnamed":   {without, unreleased("Removed", "`Query.a`"), "0.3.0", "the newest release in CHANGELOG.md is 0.2.0, not 0.3.0"},
		"release again":     {without, released, "0.2.0", "tools/contract/released.graphqls already is the schema of 0.2.0"},
		"release of faults": {without, strings.Replace(unreleased("Fixed", "x"), "Unreleased", "0.3.0", 1), "0.3.0", strings.Replace(removed, "Unreleased", "0.3.0", 1)},
		"not a schema":      {"type Query {", released, "", "parse the schema: schema.graphqls:1:13: Expected Name, found <EOF>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, schemaFile), test.schema)
			write(t, filepath.Join(dir, releasedFile), fmt.Sprintf(header, "0.2.0")+before)
			write(t, filepath.Join(dir, changelogFile), test.changelog)
			err := run(dir, test.version, io.Discard)
			if got := message(err); got != test.want {
				t.Fatalf("got  %s\nwant %s", got, test.want)
			}
			want := fmt.Sprintf(header, "0.2.0") + before
			if test.version != "" && test.want == "" {
				want = fmt.Sprintf(header, test.version) + test.schema
			}
			text, err := os.ReadFile(filepath.Join(dir, releasedFile))
			if err != nil || string(text) != want {
				t.Errorf("the copy is %q, want %q (%v)", text, want, err)
			}
		})
	}
}

func TestRun_RefusesABrokenCopy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                      "read the contract: ",
		before:                                  releasedFile + " does not name its release in the first line: ",
		fmt.Sprintf(header, "0.2.0") + "type {": "parse the released schema: ",
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, schemaFile), before)
		write(t, filepath.Join(dir, changelogFile), released)
		if text != "" {
			write(t, filepath.Join(dir, releasedFile), text)
		}
		if got := message(run(dir, "", io.Discard)); !strings.HasPrefix(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
