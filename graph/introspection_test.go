package graph_test

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"

	"github.com/caregraph/caregraph/graph/graphtest"
)

// TestIntrospection_IsCachedForAllCallers: the answer is the same with and without a
// token, and after its buffer was used for other answers. What else a document selects is
// never cached.
func TestIntrospection_IsCachedForAllCallers(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	nobody := c.Nobody()
	first := nobody.Do(introspection.Query, nil)
	if first.Errors != nil || len(first.Body) < 100_000 {
		t.Fatalf("%.300s", first.Body)
	}
	const one = `query Q($n: String!) { __type(name: $n) { name } __typename }`
	for range 3 {
		for _, name := range []string{"Patient", "Doctor"} {
			answer := nobody.Do(one, map[string]any{"n": name})
			if want := `{"data":{"__type":{"name":"` + name + `"},"__typename":"Query"}}`; answer.Body != want || answer.Answered != "introspection" {
				t.Errorf("%s by %s, want %s", answer.Body, answer.Answered, want)
			}
		}
		c.Rahul.Must(`{ patients { nodes { id name address medicalHistory } } }`, nil)
		if again := c.Rahul.Do(introspection.Query, nil); again.Body != first.Body || again.Answered != "introspection" {
			t.Fatalf("by %s: %.300s", again.Answered, again.Body)
		}
		for who, want := range map[*graphtest.Client]string{c.Rahul: "Rahul", c.Priya: "Priya"} {
			if answer := who.Do(`{ __type(name: "User") { name } me { username } }`, nil); !strings.Contains(answer.Body, want) {
				t.Errorf("%s got %s", want, answer.Body)
			}
		}
	}
}
