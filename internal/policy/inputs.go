package policy

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// inputs checks the inputs of the mutations that set fields of a record, and
// notes which fields an update can set: those of update mutations first, then
// those that only a verify mutation sets, each in the order of the record.
func (c *compiler) inputs() {
	if c.schema.Mutation == nil {
		return
	}
	updated, verified := map[string][]string{}, map[string][]string{}
	for _, mutation := range c.schema.Mutation.Fields {
		arg := mutation.Arguments.ForName("input")
		switch {
		case arg == nil:
		case strings.HasPrefix(mutation.Name, "create"):
			c.createInput(mutation, arg)
		case strings.HasPrefix(mutation.Name, "update"):
			c.updateInput(mutation, arg, updated)
		case strings.HasPrefix(mutation.Name, "verify"):
			c.updateInput(mutation, arg, verified)
		}
	}
	for name, policy := range c.policy.Types {
		policy.Inputs = ordered(policy.Order, updated[name], verified[name])
		c.policy.Types[name] = policy
	}
}

// ordered returns each field of the groups once, group after group, each group
// in the given order.
func ordered(order []string, groups ...[]string) []string {
	var fields []string
	for _, group := range groups {
		for _, field := range order {
			if slices.Contains(group, field) && !slices.Contains(fields, field) {
				fields = append(fields, field)
			}
		}
	}
	return fields
}

func (c *compiler) updateInput(mutation *ast.FieldDefinition, arg *ast.ArgumentDefinition, fields map[string][]string) {
	record, input := c.recordOf(mutation), c.schema.Types[arg.Type.Name()]
	if record == nil {
		return
	}
	for _, named := range input.Fields {
		where := input.Name + "." + named.Name
		field := counterpart(record, named.Name)
		if field == "" {
			c.mistake(where, "%s has no such field", record.Name)
			continue
		}
		// A field without a rule has been reported as such already.
		if rule, ok := c.rule(record, field); ok && rule.Write == 0 {
			c.mistake(record.Name+"."+field, "is set by %s, but nobody may write it", where)
		}
		fields[record.Name] = append(fields[record.Name], field)
	}
}

// createInput checks that nobody sets at creation what the owner, whom the
// creation makes of the caller, could not set afterwards. Inputs may have more
// than the record.
func (c *compiler) createInput(mutation *ast.FieldDefinition, arg *ast.ArgumentDefinition) {
	record, input := c.recordOf(mutation), c.schema.Types[arg.Type.Name()]
	if record == nil {
		return
	}
	for _, named := range input.Fields {
		field := counterpart(record, named.Name)
		if rule, ok := c.rule(record, field); ok && !rule.Write.Any(model.Owner) {
			c.mistake(record.Name+"."+field, "is set by %s.%s, but OWNER may not write it", input.Name, named.Name)
		}
	}
}

func (c *compiler) rule(record *ast.Definition, field string) (model.FieldPolicy, bool) {
	rule, ok := c.policy.Types[record.Name].Fields[field]
	return rule, ok
}

// recordOf returns the record that a mutation answers with: the only field of
// its payload whose type has @access.
func (c *compiler) recordOf(mutation *ast.FieldDefinition) *ast.Definition {
	var records []*ast.Definition
	for _, field := range c.schema.Types[mutation.Type.Name()].Fields {
		def := c.schema.Types[field.Type.Name()]
		if def != nil && def.Directives.ForName("access") != nil {
			records = append(records, def)
		}
	}
	if len(records) != 1 {
		c.mistake("Mutation."+mutation.Name, "its payload must have exactly one field whose type has @access, but has %d", len(records))
		return nil
	}
	return records[0]
}

// counterpart returns the field of the record that a field of an input stands
// for: the one of its name, else "account" for "accountId", else "".
func counterpart(record *ast.Definition, name string) string {
	for _, candidate := range []string{name, strings.TrimSuffix(name, "Id")} {
		if record.Fields.ForName(candidate) != nil {
			return candidate
		}
	}
	return ""
}
