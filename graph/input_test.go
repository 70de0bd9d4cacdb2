package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
)

// oddValues returns values of every JSON type and beyond every bound, as GraphQL literals
// and as JSON.
func oddValues() map[string]string {
	long := `"` + strings.Repeat("y", 25_000) + `"`
	values := map[string]string{`{a: 1}`: `{"a":1}`, `MALE`: `"MALE"`, `nothing`: `"nothing"`}
	for _, same := range []string{
		"-1", "1.5", "1e400", "true", "null", "2147483648", "9223372036854775808", "-99999999999999999999999999",
		`""`, `"1"`, `"\u0000"`, `"a\u0000b"`, `"\uDC00\uD800"`, `"%_\\"`, `"1e999999999"`, `"NaN"`, `"99999-01-01"`,
		`[]`, `["x"]`, `[null]`, `[[1]]`, `{}`, long,
	} {
		values[same] = same
	}
	return values
}

// inputPlace is a place of the schema where a client can put a value.
type inputPlace struct {
	name string
	typ  *ast.Type
	// fill is a selection set with the value in its place.
	fill func(value string) string
}

// inputPlaces returns all arguments of root fields and all fields of inputs.
func inputPlaces(schema *ast.Schema) []inputPlace {
	var places []inputPlace
	for _, def := range []*ast.Definition{schema.Query, schema.Mutation} {
		kind := strings.ToLower(def.Name)
		for _, root := range def.Fields {
			if strings.HasPrefix(root.Name, "__") {
				continue
			}
			for _, arg := range root.Arguments {
				call := func(value string) string {
					return fmt.Sprintf("{ it: %s(%s)%s }", root.Name, arguments(schema, root.Arguments, arg.Name, value), below(schema, root))
				}
				places = append(places, inputPlace{name: kind + " " + root.Name + "." + arg.Name, typ: arg.Type, fill: call})
				input := schema.Types[arg.Type.Name()]
				if input.Kind != ast.InputObject {
					continue
				}
				for _, field := range input.Fields {
					places = append(places, inputPlace{
						name: kind + " " + root.Name + "." + arg.Name + "." + field.Name, typ: field.Type,
						fill: func(value string) string { return call(object(schema, input, field.Name, value)) },
					})
				}
			}
		}
	}
	return places
}

func arguments(schema *ast.Schema, all ast.ArgumentDefinitionList, name, value string) string {
	parts := []string{name + ": " + value}
	for _, arg := range all {
		if arg.Name != name && arg.Type.NonNull && arg.DefaultValue == nil {
			parts = append(parts, arg.Name+": "+plain(schema, arg.Type))
		}
	}
	return strings.Join(parts, ", ")
}

func object(schema *ast.Schema, def *ast.Definition, name, value string) string {
	parts := []string{}
	if name != "" {
		parts = append(parts, name+": "+value)
	}
	for _, field := range def.Fields {
		if field.Name != name && field.Type.NonNull && field.DefaultValue == nil {
			parts = append(parts, field.Name+": "+plain(schema, field.Type))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plain returns a well-formed value that refers to no record.
func plain(schema *ast.Schema, typ *ast.Type) string {
	if typ.Elem != nil {
		return "[]"
	}
	def := schema.Types[typ.Name()]
	switch {
	case def.Kind == ast.InputObject:
		return object(schema, def, "", "")
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case typ.Name() == "Int":
		return "7"
	case typ.Name() == "Boolean":
		return "false"
	default:
		return `"999999"`
	}
}

// TestInput_OfAnyTypeIsNeverAFaultOfOurs puts every odd value into every place
// of the schema, as a literal and as a variable.
func TestInput_OfAnyTypeIsNeverAFaultOfOurs(t *testing.T) {
	t.Parallel()
	log := &logBuffer{}
	c := graphtest.New(t, graphtest.Options{Log: log.logger()}).NewClinic()
	known := []string{"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "INVALID_CURSOR", "FORBIDDEN"}
	asVariable := map[string]bool{} // by type: how it is read does not depend on the place
	for _, place := range inputPlaces(graph.Schema()) {
		kind, _, _ := strings.Cut(place.name, " ")
		check := func(answer graphtest.Answer, value string) {
			for _, code := range answer.Codes() {
				if !slices.Contains(known, code[strings.LastIndex(code, " ")+1:]) {
					t.Errorf("%s = %.80s: %.600s", place.name, value, answer.Body)
				}
			}
		}
		for literal, inJSON := range oddValues() {
			check(clientFor(c, place.name).Do(kind+" "+place.fill(literal), nil), literal)
			if !asVariable[place.typ.String()] {
				document := fmt.Sprintf("%s ($v: %s) %s", kind, place.typ, place.fill("$v"))
				check(clientFor(c, place.name).Do(document, map[string]any{"v": json.RawMessage(inJSON)}), "$v = "+inJSON)
			}
		}
		asVariable[place.typ.String()] = true
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("in the log: %.3000s", log)
	}
}

// clientFor returns a client that may call the root field, in a session that may end.
func clientFor(c *graphtest.Clinic, place string) *graphtest.Client {
	switch {
	case strings.Contains(place, "verifyDoctor"):
		return c.Admin
	case strings.Contains(place, "logout"):
		return c.Rahul.NewSession()
	default:
		return c.Rahul
	}
}
