package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

const partHere = "the answers part here:"

// remaining finds how many seconds a caller must wait: the later answer can say one less.
var remaining = regexp.MustCompile(`(Try again in |"retryAfter":)\d+`)

// difference returns the difference of two answers, or "". It compares all bytes, except
// for the time to wait and the order of errors and extensions.redacted: gqlgen's executor
// adds to them as its goroutines end.
func difference(tb testing.TB, compiled, interpreted graphtest.Answer) string {
	tb.Helper()
	part := func(answer graphtest.Answer) string {
		return fmt.Sprint(answer.Status, remaining.ReplaceAllString(inOrder(tb, "answer", []byte(answer.Body)), "${1}n"))
	}
	got, want := part(compiled), part(interpreted)
	if got == want {
		return ""
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	near := func(text string) string { return text[max(0, at-60):min(len(text), at+60)] }
	return fmt.Sprintf(partHere+"\n%q\n%q\n%s:\n%s\ninterpreted:\n%s",
		near(got), near(want), answeredBy(compiled.Answered), compiled.Body, interpreted.Body)
}

func answeredBy(how string) string { return "compiled (" + how + ")" }

// sealed finds the cursors of changes, which are never the same twice.
var sealed = regexp.MustCompile(`"[\w-]{1000,}"`)

// inOrder returns a part of an answer with a fixed order of the members of the envelope and
// of the lists without an order.
func inOrder(tb testing.TB, name string, value json.RawMessage) string {
	tb.Helper()
	parts := []string{}
	switch name {
	case "answer", "extensions":
		var members map[string]json.RawMessage
		decode(tb, value, &members)
		for _, name := range slices.Sorted(maps.Keys(members)) {
			parts = append(parts, name+": "+inOrder(tb, name, members[name]))
		}
	case "errors", "redacted":
		var items []json.RawMessage
		decode(tb, value, &items)
		for _, item := range items {
			parts = append(parts, string(item))
		}
		slices.Sort(parts)
	default:
		return sealed.ReplaceAllString(string(value), `"sealed"`)
	}
	return strings.Join(parts, "\n")
}

func decode(tb testing.TB, text []byte, into any) {
	tb.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
}
