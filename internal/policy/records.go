package policy

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// record compiles a type with @access.
func (c *compiler) record(def *ast.Definition) {
	exists, ok := c.audience(def.Name, def.Directives.ForName("access"), "to")
	if !ok {
		return
	}
	policy := model.TypePolicy{Exists: exists, Fields: map[string]model.FieldPolicy{}}
	for _, field := range def.Fields {
		where := def.Name + "." + field.Name
		policy.Order = append(policy.Order, field.Name)
		c.forbidDirective(where, field, "access", "it is no root field")
		owner := field.Directives.ForName("owner")
		if owner == nil {
			c.addError(where, "has no @owner, though %s has @access", def.Name)
			continue
		}
		if rule, ok := c.field(where, owner); ok {
			c.checkRule(where, field, exists, rule)
			policy.Fields[field.Name] = rule
		}
	}
	c.policy.Types[def.Name] = policy
}

func (c *compiler) field(where string, owner *ast.Directive) (model.FieldPolicy, bool) {
	read, readable := c.audience(where, owner, "read")
	write, writable := c.audience(where, owner, "write")
	return model.FieldPolicy{Read: read, Write: write}, readable && writable
}

// checkRule checks the rule of a field. A hidden non-null field would remove the whole
// record from the answer, and the error of a blind write would reveal the value.
func (c *compiler) checkRule(where string, field *ast.FieldDefinition, exists model.Relations, rule model.FieldPolicy) {
	if field.Type.NonNull && !exists.Within(rule.Read) {
		c.addError(where, "is non-null, but hidden from %s, who can see the record", names(exists&^rule.Read))
	}
	if !rule.Write.Within(rule.Read) {
		c.addError(where, "may be written by %s, who cannot read it", names(rule.Write&^rule.Read))
	}
}

func names(mask model.Relations) string { return strings.Join(mask.Names(), ", ") }
