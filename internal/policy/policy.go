// Package policy compiles the directives of the schema to a model.Policy: @admits,
// @access and @owner to bit masks, @text and @range to constraints. It returns an error
// for a schema whose rules contradict each other. It runs once at start and never
// decides about a request.
package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// Compile returns the access policy of the schema. For a schema with errors in its
// rules it returns one error with a line for each, which begins with the field or enum
// value, such as "Patient.name". A root field without @access is closed and not in the
// policy, as are the introspection fields of Query.
func Compile(schema *ast.Schema) (*model.Policy, error) {
	c := &compiler{schema: schema, policy: &model.Policy{
		Audiences: map[model.Audience]model.Relations{},
		Roots:     map[string]model.Relations{},
		Types:     map[string]model.TypePolicy{},
	}}
	c.relations()
	c.audiences()
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		c.definition(schema.Types[name])
	}
	for _, in := range c.mutationInputs() {
		c.input(in)
	}
	c.constraints()
	if len(c.schemaErrors) > 0 {
		return nil, errors.New("the access rules of the schema contradict each other:\n  " + strings.Join(c.schemaErrors, "\n  "))
	}
	return c.policy, nil
}

// compiler collects the policy and the errors.
type compiler struct {
	schema       *ast.Schema
	policy       *model.Policy
	schemaErrors []string
}

func (c *compiler) addError(where, format string, args ...any) {
	c.schemaErrors = append(c.schemaErrors, where+": "+fmt.Sprintf(format, args...))
}

// definition compiles a root type or a record, and checks any other type.
func (c *compiler) definition(def *ast.Definition) {
	switch {
	case def.BuiltIn || (def.Kind != ast.Object && def.Kind != ast.Interface):
	case c.isRoot(def):
		c.roots(def)
	case def.Directives.ForName("access") != nil:
		c.record(def)
	default:
		c.nonRecord(def)
	}
}

func (c *compiler) isRoot(def *ast.Definition) bool {
	return def == c.schema.Query || def == c.schema.Mutation || def == c.schema.Subscription
}

func (c *compiler) roots(def *ast.Definition) {
	for _, field := range def.Fields {
		where := def.Name + "." + field.Name
		if access := field.Directives.ForName("access"); access != nil {
			if mask, ok := c.audience(where, access, "to"); ok {
				c.policy.Roots[where] = mask
			}
		}
		c.forbidDirective(where, field, "owner", "it is a root field, whose rule is @access")
	}
}

// nonRecord checks that a type which is not a record has no rules.
func (c *compiler) nonRecord(def *ast.Definition) {
	if slices.Contains(def.Interfaces, "Node") {
		c.addError(def.Name, "implements Node but has no @access")
		return
	}
	for _, field := range def.Fields {
		where := def.Name + "." + field.Name
		c.forbidDirective(where, field, "owner", def.Name+" has no @access")
		c.forbidDirective(where, field, "access", "it is no root field")
	}
}

// forbidDirective reports a directive without effect, so that no rule seems to hold
// that does not.
func (c *compiler) forbidDirective(where string, field *ast.FieldDefinition, directive, why string) {
	if field.Directives.ForName(directive) != nil {
		c.addError(where, "@%s has no meaning here: %s", directive, why)
	}
}
