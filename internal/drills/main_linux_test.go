package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/drills/process"
)

// fake returns a drill that reports, or fails with the error.
func fake(id string, broken []string, err error) drill {
	return drill{id, "about " + id, func(context.Context, string) (*process.Report, error) {
		if err != nil {
			return nil, err
		}
		return &process.Report{Columns: []string{"what", "how many"}, Rows: [][]any{{"lost", 7}}, Broken: broken}, nil
	}}
}

// One drill that fails does not stop the next one, and the file has all.
func TestRun_ReportsEachChosenDrill(t *testing.T) {
	t.Chdir(t.TempDir())
	all := []drill{
		fake("A", nil, nil), fake("B", []string{"a promise"}, nil), fake("C", nil, errors.New("no etcd")), fake("D", nil, nil), fake("E", nil, nil),
	}
	var out bytes.Buffer
	err := run(t.Context(), all, "B,C,D", &out)
	if err == nil || !strings.Contains(err.Error(), "failed: B, C;") {
		t.Errorf("got %v, want an error that names B and C alone", err)
	}
	text, readErr := os.ReadFile(results)
	if readErr != nil {
		t.Fatal(readErr)
	}
	for where, in := range map[string]string{"output": out.String(), "file": string(text)} {
		for _, want := range []string{"about B", "about C", "about D", "a promise", "no etcd", "lost", "7"} {
			if !strings.Contains(in, want) {
				t.Errorf("the %s lacks %q:\n%s", where, want, in)
			}
		}
		if strings.Contains(in, "about A") || strings.Contains(in, "about E") {
			t.Errorf("the %s has a drill that was not chosen:\n%s", where, in)
		}
	}
	if err := run(t.Context(), all, "D", &out); err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), all, "D9", &out); err == nil || !strings.Contains(err.Error(), `"D9"`) {
		t.Errorf("got %v, want an error that names D9", err)
	}
}
