package policy

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

var update = flag.Bool("update", false, "write the table of rights into docs/ownership.md")

// The lines around the table of rights in docs/ownership.md.
const (
	rightsBegin = "<!-- The rights, from the directives: go test ./internal/policy -run Rights -update -->\n"
	rightsEnd   = "<!-- End of the rights -->\n"
)

// TestRights_AreThoseOfTheDirectives compares the table in docs/ownership.md with the
// directives of the schema.
func TestRights_AreThoseOfTheDirectives(t *testing.T) {
	t.Parallel()
	const path = "../../docs/ownership.md"
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begun := strings.Cut(string(content), rightsBegin)
	table, after, ended := strings.Cut(rest, rightsEnd)
	if !begun || !ended {
		t.Fatalf("%s has no table of rights", path)
	}
	schema := realSchema(t)
	want := "\n" + rights(schema, compile(t, schema)) + "\n"
	if *update {
		err = os.WriteFile(path, []byte(before+rightsBegin+want+rightsEnd+after), 0o644)
	} else if table != want {
		t.Errorf("the table of rights differs from the directives; -update writes it")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rights returns a row for the fields of each record type that have the same rule, with
// what each relation may do.
func rights(schema *ast.Schema, policy *model.Policy) string {
	relations := []string{"SELF", "OWNER", "ASSIGNED_DOCTOR", "TEAM", "TEAM_CLINICAL", "TEAM_DESK", "ADMIN", "RELATED", "SIGNED_IN"}
	var out strings.Builder
	out.WriteString("| | " + strings.Join(relations, " | ") + " |\n|" + strings.Repeat(" --- |", len(relations)+1) + "\n")
	row := func(what string, cell func(model.Relations) string) {
		out.WriteString("| " + what)
		for _, name := range relations {
			bit, _ := model.ParseRelation(name)
			out.WriteString(" | " + cell(bit))
		}
		out.WriteString(" |\n")
	}
	for _, def := range typesOf(schema, policy) {
		rule := policy.Types[def.Name]
		row("**"+def.Name+"**", func(bit model.Relations) string {
			if rule.Exists.Any(bit) {
				return "exists"
			}
			return ""
		})
		done := map[model.FieldPolicy]bool{}
		for _, name := range rule.Order {
			field := rule.Fields[name]
			if done[field] {
				continue
			}
			done[field] = true
			var same []string
			for _, other := range rule.Order {
				if rule.Fields[other] == field {
					same = append(same, "`"+other+"`")
				}
			}
			row(strings.Join(same, " "), func(bit model.Relations) string {
				read, write := field.CanRead(bit), field.CanWrite(bit)
				switch {
				case !rule.Exists.Any(bit):
					return ""
				case read && write:
					return "see, set"
				case read:
					return "see"
				default:
					return ""
				}
			})
		}
	}
	return out.String()
}

// typesOf returns the record types in the order of the schema.
func typesOf(schema *ast.Schema, policy *model.Policy) (all []*ast.Definition) {
	for name := range policy.Types {
		all = append(all, schema.Types[name])
	}
	slices.SortFunc(all, func(a, b *ast.Definition) int { return a.Position.Line - b.Position.Line })
	return all
}
