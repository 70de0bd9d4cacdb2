package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/pgserver"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a piece of code of the README, and the language it is marked with.
type block struct{ language, text string }

func blocks(markdown string) (found []block) {
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		found = append(found, block{m[1], m[2]})
	}
	return found
}

// section is what stands below a heading.
func section(t *testing.T, markdown, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(markdown, "\n## "+heading+"\n")
	if !found {
		t.Fatalf("README.md has no section %q", heading)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

// The tour is run block by block in one shell, as a reader would, and every
// answer is compared with the one that is printed below its question.
func TestReadme_TourWorksAsItStands(t *testing.T) {
	t.Parallel()
	for _, shell := range [][]string{{"bash", "--norc", "--noprofile"}, {"zsh", "--no-rcs"}} {
		if _, err := exec.LookPath(shell[0]); err != nil && shell[0] != "bash" {
			continue // bash is what everybody has
		}
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			server := start(t, dataDir(t))
			tour := blocks(section(t, readme(t), "A tour with curl"))
			answers := server.take(tour, shell)
			for i, b := range tour {
				if i+1 < len(tour) && b.language == "sh" && tour[i+1].language != "sh" {
					compare(t, b, tour[i+1], answers[i])
				}
			}
			server.stop()
		})
	}
}

// progress is what fill says while it works.
var progress = regexp.MustCompile(`(?m)^(doctors|patients): \d+ of \d+\n`)

// border stands between the outputs of two blocks.
const border = "\n--- next block ---\n"

// take runs the blocks, with this server in the place of the one on the
// reader's machine, and returns what each of them printed.
func (p *program) take(tour []block, shell []string) []string {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	var script strings.Builder
	for _, b := range tour {
		if b.language == "sh" {
			script.WriteString(b.text)
		}
		script.WriteString("printf '%s' '" + border + "'\n")
	}
	here := strings.NewReplacer("http://127.0.0.1:8080", p.base, "bin/caregraph", path)
	cmd := exec.CommandContext(p.t.Context(), shell[0], shell[1:]...)
	cmd.Env = append(cleanEnv(), "CAREGRAPH_DATA="+p.data)
	cmd.Stdin = strings.NewReader(here.Replace(script.String()))
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	if said := progress.ReplaceAllString(complaints.String(), ""); err != nil || said != "" {
		p.t.Errorf("the tour ended with %v and said %s", err, said)
	}
	outputs := strings.Split(out.String(), border)
	if len(outputs) != len(tour)+1 {
		p.t.Fatalf("%d outputs of %d blocks:\n%s", len(outputs)-1, len(tour), &out)
	}
	return outputs
}

func compare(t *testing.T, question, want block, got string) {
	t.Helper()
	if want.language == "text" {
		if strings.TrimSpace(got) != strings.TrimSpace(want.text) {
			t.Errorf("%s\nanswers\n%s\nand not\n%s", question.text, got, want.text)
		}
		return
	}
	var inReadme, fromServer any
	if err := json.Unmarshal([]byte(want.text), &inReadme); err != nil {
		t.Errorf("the answer below this is not JSON: %v\n%s", err, question.text)
	}
	if err := json.Unmarshal([]byte(got), &fromServer); err != nil || !reflect.DeepEqual(inReadme, fromServer) {
		t.Errorf("%s\nanswers\n%s\nand not\n%s", question.text, got, want.text)
	}
}

// A # or a ! outside of quotes works in a script, and not for a reader who
// pastes it: zsh knows no comments there, and both shells look into history.
func TestReadme_TourCanBePasted(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`(?s)'[^']*'`)
	for _, b := range blocks(section(t, readme(t), "A tour with curl")) {
		if bare := quoted.ReplaceAllString(b.text, ""); b.language == "sh" && strings.ContainsAny(bare, "#!") {
			t.Errorf("cannot be pasted:\n%s", b.text)
		}
	}
}

func TestReadme_SpeaksOfWhatThereIs(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z./]+)` \\|").FindAllStringSubmatch(section(t, text, "Reading the code"), -1) {
		if _, err := os.Stat("../../" + m[1]); err != nil {
			t.Errorf("the project map has %s: %v", m[1], err)
		}
	}
	message, _, _ := strings.Cut((&pgserver.NotFoundError{}).Error(), "looked in")
	if !strings.Contains(text, message) {
		t.Errorf("README.md does not have the message as it is:\n%s", message)
	}
	tests := allTests(t)
	for _, name := range regexp.MustCompile(`Test[A-Z]\w+_\w+`).FindAllString(text, -1) {
		if !strings.Contains(tests, "func "+name+"(t *testing.T)") {
			t.Errorf("there is no test %s", name)
		}
	}
}

// allTests is the text of the tests that the README speaks of.
func allTests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range []string{"../../store/*_test.go", "../../graph/*_test.go", "../../internal/*/*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}
