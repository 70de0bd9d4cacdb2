package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// list returns a list with all ids; the cells override the column of tests.
func list(cells map[string]string) string {
	text := ""
	for n := range lastID {
		id := "F" + strconv.Itoa(n+1)
		cell, set := cells[id]
		if !set {
			cell = "documented: here"
		}
		text += "| " + id + " | a fault | " + cell + " |\n"
	}
	return text
}

func TestParse_WhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a missing id": {strings.Replace(list(nil), "| F12 ", "| G12 ", 1), "F12 has no row"},
		"an id twice":  {list(nil) + "| F12 | again | store: TestA |\n", "F12 has two rows"},
		"no test":      {list(map[string]string{"F7": ""}), "F7"},
		"no package":   {list(map[string]string{"F7": "TestA"}), "F7"},
		"no name":      {list(map[string]string{"F7": "store: helper"}), `"helper" is not the name of a test`},
	} {
		if _, err := parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestParse_ReadsTheListOfTheRepository(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", faultsFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(string(text)); err != nil {
		t.Error(err)
	}
}

// TestRun_EachResult: a module with green tests, a red and a skipped one, and a name
// that no test has.
func TestRun_EachResult(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module sample\n",
		"a/a_test.go": `package a

import "testing"

func TestGreen(t *testing.T) { t.Run("part", func(*testing.T) {}) }
func TestRed(t *testing.T)   { t.Fail() }
func TestSkip(t *testing.T)  { t.Skip() }
func FuzzGreen(f *testing.F) { f.Add(1); f.Fuzz(func(*testing.T, int) {}) }
`,
		faultsFile: list(map[string]string{"F1": "`a: TestGreen, TestGreen/part, FuzzGreen`", "F2": "a: TestRed; a: TestSkip, TestGone"}),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), dir, []string{"F1"}, &out); err != nil {
		t.Errorf("green tests: %v", err)
	}
	err := run(t.Context(), dir, []string{"F1", "F2", "F3"}, &out)
	if err == nil || err.Error() != "3 tests did not pass" {
		t.Errorf("red tests: %v", err)
	}
	for _, line := range []string{
		"F1   pass    a: TestGreen\n", "F1   pass    a: TestGreen/part\n", "F1   pass    a: FuzzGreen\n", "F2   fail    a: TestRed\n",
		"F2   skip    a: TestSkip\n", "F2   missing a: TestGone\n", "F3   documented: here\n",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %q in\n%s", line, out.String())
		}
	}
	if err := run(t.Context(), dir, []string{"F98"}, &out); err == nil {
		t.Error("an id that does not exist passes")
	}
}

// TestRun_TestsEachTime: go test would repeat a result when a test runs a program that
// has changed, for example the server.
func TestRun_TestsEachTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "docs"), 0o750); err != nil {
		t.Fatal(err)
	}
	write("go.mod", "module sample\n")
	write(faultsFile, list(map[string]string{"F1": ".: TestProgram"}))
	write("a_test.go", `package a

import (
	"os/exec"
	"testing"
)

func TestProgram(t *testing.T) {
	if err := exec.Command("sh", "program").Run(); err != nil {
		t.Fatal(err)
	}
}
`)
	for _, c := range []struct{ program, want string }{{"exit 0", "pass"}, {"exit 1", "fail"}} {
		write("program", c.program)
		var out strings.Builder
		_ = run(t.Context(), dir, []string{"F1"}, &out)
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %s, want %s", c.program, out.String(), c.want)
		}
	}
}
