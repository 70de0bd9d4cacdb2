package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recipe is a copy of the repository in which someone follows a section of
// CONTRIBUTING.md.
type recipe struct {
	*testing.T

	dir string
}

// copied returns a copy of everything that belongs to the project, committed or not.
func copied(t *testing.T) recipe {
	t.Helper()
	r := recipe{t, t.TempDir()}
	for _, name := range project(t) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and git still knows it
		}
		if err != nil {
			t.Fatal(err)
		}
		r.write(name, string(text))
	}
	return r
}

// project names the files of the project from the root: those that git knows or would
// add, or all but the results of builds when git does not read this tree.
func project(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	if out, err := list.Output(); err == nil {
		if names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); slices.Contains(names, "go.mod") {
			return names
		}
	}
	return slices.DeleteFunc(files(t, ""), func(name string) bool {
		return strings.HasPrefix(name, "web/dist/") && name != "web/dist/.gitkeep"
	})
}

func (r recipe) read(name string) string {
	r.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.Fatalf("CONTRIBUTING.md names %s: %v", name, err)
	}
	return string(text)
}

func (r recipe) write(name, text string) {
	r.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// place is where something belongs in a file: below the first line that contains
// after, or behind its comma if after ends with one. It lies in the part of the file
// that begins with in and ends with the next closing brace at a line's start.
type place struct{ file, in, after string }

// insert adds a piece of the document.
func (r recipe) insert(at place, piece string) {
	r.Helper()
	text := r.read(at.file)
	start := strings.Index(text, at.in)
	if start < 0 {
		r.Fatalf("%s has no %q, so this cannot be added:\n%s", at.file, at.in, piece)
	}
	part, _, _ := strings.Cut(text[start:], "\n}")
	line := strings.Index(part, at.after)
	if line < 0 {
		r.Fatalf("%s has no %q below %q, so this cannot be added:\n%s", at.file, at.after, at.in, piece)
	}
	end := start + line + len(at.after)
	if strings.HasSuffix(at.after, ",") {
		piece = "\n" + piece
	} else {
		end += strings.Index(text[end:], "\n") + 1
	}
	r.write(at.file, text[:end]+piece+text[end:])
}

// run runs the go command in the copy and returns what it printed.
func (r recipe) run(args ...string) (out string, err error) {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "go", args...)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), "PWD="+r.dir)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func (r recipe) must(args ...string) string {
	r.Helper()
	out, err := r.run(args...)
	if err != nil {
		r.Fatalf("a step of CONTRIBUTING.md is wrong: go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// lines returns the lines of code of a block, with the comments at their ends.
func lines(b block) (code, comments []string) {
	for _, m := range regexp.MustCompile(`(?m)^(.+?) // (.+)$`).FindAllStringSubmatch(b.text, -1) {
		code, comments = append(code, m[1]+"\n"), append(comments, m[2])
	}
	return code, comments
}

// Each block of the section is put where the text says. The tests ask for what is
// missing by name, and then everything holds.
func TestContributing_AddingAFieldWorksAsItStands(t *testing.T) {
	t.Parallel()
	steps := blocks(section(t, "CONTRIBUTING.md", "Adding a field"))
	var languages []string
	for _, b := range steps {
		languages = append(languages, b.language)
	}
	if want := []string{"graphql", "graphql", "go", "sql", "go", "go"}; !slices.Equal(languages, want) {
		t.Fatalf("the section has blocks of %q, this test follows %q", languages, want)
	}
	r := copied(t)
	r.addToSchema(steps[0], steps[1])
	r.addToModel(steps[2])
	r.must("run", "-C", "tools", "./generate")
	r.write("store/migrations/20991231235959_preferred_language.tx.up.sql", steps[3].text)
	r.must("vet", "./graph", "./model", "./store")

	tests := []string{
		"TestFields_AreSeenByWhomThePolicyAdmitsAndByNobodyElse", "TestWrites_DoneByWhomThePolicyAdmitsAndByNobodyElse",
		"TestCompile_RealSchemaNamesRecordsAndInputsInOrder",
	}
	asked, err := r.test(tests)
	for _, want := range []string{
		"Patient.preferredLanguage has no case in this test", "UpdatePatientInput.preferredLanguage has no case in this test",
		"medicalHistory preferredLanguage",
	} {
		if err == nil || !strings.Contains(asked, want) {
			t.Errorf("the tests do not ask for the field by %q: %v\n%s", want, err, asked)
		}
	}
	r.addToTests(steps[4])
	special := regexp.MustCompile(`Test\w+`).FindString(steps[5].text)
	r.write("graph/patients_test.go", r.read("graph/patients_test.go")+"\n"+steps[5].text)
	tests = append(tests, special)
	out, err := r.test(tests)
	for _, name := range tests {
		if err != nil || !strings.Contains(out, "--- PASS: "+name) {
			t.Fatalf("after the last step, %s does not pass: %v\n%s", name, err, out)
		}
	}
}

// test runs the tests with the names and returns what they printed.
func (r recipe) test(names []string) (string, error) {
	r.Helper()
	return r.run("test", "-v", "-vet=off", "-run", "^("+strings.Join(names, "|")+")$", "./graph", "./internal/policy")
}

func (r recipe) addToSchema(field, inputs block) {
	r.Helper()
	const file, after = "schema.graphqls", "\n  medicalHistory: "
	r.insert(place{file, "\ntype Patient ", after}, "\n"+field.text)
	parts := regexp.MustCompile(`(?m)^  # (input \w+)\n`).FindAllStringSubmatchIndex(inputs.text, -1)
	if len(parts) != 2 {
		r.Fatalf("the block names %d inputs, want 2:\n%s", len(parts), inputs.text)
	}
	for i, part := range parts {
		end := len(inputs.text)
		if i+1 < len(parts) {
			end = parts[i+1][0]
		}
		r.insert(place{file, "\n" + inputs.text[part[2]:part[3]] + " ", after}, "\n"+strings.TrimRight(inputs.text[part[1]:end], "\n")+"\n")
	}
}

func (r recipe) addToModel(b block) {
	r.Helper()
	places := map[string]place{
		"in type Patient, after MedicalHistory": {"model/patient.go", "\ntype Patient struct", "\tMedicalHistory "},
		`in Validate, after "medicalHistory"`:   {"model/patient.go", "\nfunc (p *Patient) Validate(", `"medicalHistory"`},
	}
	r.addLines(b, places)
}

func (r recipe) addToTests(b block) {
	r.Helper()
	places := map[string]place{
		"graph/isolation_test.go":        {"graph/isolation_test.go", "\t\"Patient\": {\n", `"medicalHistory"`},
		"graph/writes_test.go":           {"graph/writes_test.go", "\nfunc writings(", `"UpdatePatientInput.medicalHistory"`},
		"internal/policy/policy_test.go": {"internal/policy/policy_test.go", "inputs := map[string][]string{", `"medicalHistory",`},
	}
	r.addLines(b, places)
}

// addLines adds each line where its comment says. Every place gets one.
func (r recipe) addLines(b block, places map[string]place) {
	r.Helper()
	code, comments := lines(b)
	if len(code) != len(places) {
		r.Fatalf("the block has %d lines with a place, want %d:\n%s", len(code), len(places), b.text)
	}
	for i, comment := range comments {
		at, known := places[comment]
		if !known {
			r.Fatalf("this test does not know the place %q of %s", comment, code[i])
		}
		r.insert(at, code[i])
	}
}
