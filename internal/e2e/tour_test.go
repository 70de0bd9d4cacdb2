package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// One shell runs the tour block by block, as a reader does. Each answer must be
// the one below its block.
func TestTour_WorksAsItStands(t *testing.T) {
	t.Parallel()
	for _, shell := range [][]string{{"bash", "--norc", "--noprofile"}, {"zsh", "--no-rcs"}} {
		if _, err := exec.LookPath(shell[0]); err != nil && shell[0] != "bash" {
			continue // bash is on every machine
		}
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			server := start(t, dataDir(t))
			tour := blocks(document(t, "docs/tour.md"))
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

// progress matches what fill prints while it works.
var progress = regexp.MustCompile(`(?m)^(doctors|patients): \d+ of \d+\n`)

// border separates the outputs of two blocks.
const border = "\n--- next block ---\n"

// take runs the blocks with this server instead of the one on the reader's
// machine, and returns what each of them printed.
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
	here := strings.NewReplacer("http://127.0.0.1:8080", p.base, "bin/caregraph", path, "~/.local/state/caregraph", p.data)
	cmd := exec.CommandContext(p.t.Context(), shell[0], shell[1:]...)
	cmd.Env = append(cleanEnv(), "CAREGRAPH_DATA="+p.data)
	cmd.Stdin = strings.NewReader(here.Replace(script.String()))
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err = cmd.Run()
	if text := progress.ReplaceAllString(complaints.String(), ""); err != nil || text != "" {
		p.t.Errorf("the tour ended with %v and said %s", err, text)
	}
	// The data directory of the document is that of a reader.
	said := strings.ReplaceAll(out.String(), p.data, "/home/you/.local/state/caregraph")
	outputs := strings.Split(said, border)
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
	var inDocument, fromServer any
	if err := json.Unmarshal([]byte(want.text), &inDocument); err != nil {
		t.Errorf("the answer below this is not JSON: %v\n%s", err, question.text)
	}
	if err := json.Unmarshal([]byte(got), &fromServer); err != nil || !reflect.DeepEqual(inDocument, fromServer) {
		t.Errorf("%s\nanswers\n%s\nand not\n%s", question.text, got, want.text)
	}
}

// A # or a ! outside of quotes works in a script, but not if a reader pastes it:
// an interactive zsh has no comments, and both shells expand the history.
func TestTour_CanBePasted(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`(?s)'[^']*'`)
	for _, b := range blocks(document(t, "docs/tour.md")) {
		if bare := quoted.ReplaceAllString(b.text, ""); b.language == "sh" && strings.ContainsAny(bare, "#!") {
			t.Errorf("cannot be pasted:\n%s", b.text)
		}
	}
}
