package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
)

// Schema returns the schema with its directives, for internal/policy and
// internal/rest.
func Schema() *ast.Schema {
	return gen.NewExecutableSchema(gen.Config{}).Schema()
}

// describedSchema returns the schema that documents are validated against, and that
// introspection shows. Introspection carries no directives of the schema, so it
// appends the contents of @text, @range and @userErrors to the descriptions. It parses
// the schema again, because that of gen is shared.
func describedSchema() *ast.Schema {
	source := Schema().Query.Position.Src
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: source.Name, Input: source.Input})
	delete(schema.Directives, "defer") // the library declares it; an answer comes in one piece
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			describe(field, " ", limitText(field))
		}
	}
	for _, mutation := range schema.Mutation.Fields {
		describeInput(schema, mutation)
		describe(mutation, "\n\n", codesText(mutation))
	}
	return schema
}

func describe(field *ast.FieldDefinition, separator, text string) {
	if text != "" {
		field.Description = strings.TrimSpace(field.Description + separator + text)
	}
}

// describeInput appends the limits of the record in the payload to the fields of a
// mutation's input.
func describeInput(schema *ast.Schema, mutation *ast.FieldDefinition) {
	argument := mutation.Arguments.ForName("input")
	if argument == nil {
		return
	}
	record := schema.Types[schema.Types[mutation.Type.Name()].Fields[0].Type.Name()]
	for _, field := range schema.Types[argument.Type.Name()].Fields {
		if target := record.Fields.ForName(field.Name); target != nil {
			describe(field, " ", limitText(target))
		}
	}
}

// limitText returns the limits of the field's @text or @range as a sentence, or "".
func limitText(field *ast.FieldDefinition) string {
	bound := func(directive *ast.Directive, name string) string {
		if argument := directive.Arguments.ForName(name); argument != nil {
			return grouped(argument.Value.Raw)
		}
		return "0" // by default
	}
	if text := field.Directives.ForName("text"); text != nil {
		if least := bound(text, "min"); least != "0" {
			return least + " to " + bound(text, "max") + " characters."
		}
		return "At most " + bound(text, "max") + " characters."
	}
	if between := field.Directives.ForName("range"); between != nil {
		return bound(between, "min") + " to " + bound(between, "max") + "."
	}
	return ""
}

// grouped separates the thousands of a number by commas.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// codesText returns the codes of the mutation's @userErrors as a sentence, or "".
func codesText(mutation *ast.FieldDefinition) string {
	directive := mutation.Directives.ForName("userErrors")
	if directive == nil {
		return ""
	}
	codes := []string{}
	for _, code := range directive.Arguments.ForName("codes").Value.Children {
		codes = append(codes, code.Value.Raw)
	}
	if len(codes) == 0 {
		codes = []string{"none"}
	}
	return "userErrors: " + strings.Join(codes, ", ") + "."
}
