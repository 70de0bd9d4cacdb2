package policy

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// relations compares the schema's enum Relation with the relations of model.
func (c *compiler) relations() {
	values := c.enum("Relation")
	for _, value := range values {
		if _, ok := model.ParseRelation(value.Name); !ok {
			c.addError("Relation."+value.Name, "package model does not know this relation")
		}
	}
	for _, name := range model.AllRelations.Names() {
		if values.ForName(name) == nil {
			c.addError("Relation."+name, "package model has this relation, the schema does not")
		}
	}
}

// enum returns the values of an enum; none if the schema lacks it.
func (c *compiler) enum(name string) ast.EnumValueList {
	if def := c.schema.Types[name]; def != nil {
		return def.EnumValues
	}
	return nil
}

func (c *compiler) audiences() {
	def := c.schema.Types["Audience"]
	if def == nil {
		c.addError("Audience", "the schema has no such enum")
		return
	}
	for _, value := range def.EnumValues {
		if admits := value.Directives.ForName("admits"); admits != nil {
			c.policy.Audiences[model.Audience(value.Name)] = c.admittedRelations(value.Name, admits)
		}
	}
}

// admittedRelations returns the mask of the relations that an @admits names.
func (c *compiler) admittedRelations(audience string, admits *ast.Directive) model.Relations {
	var mask model.Relations
	if admits.Arguments.ForName("relations") == nil {
		c.addError("Audience."+audience, "@admits has no relations")
		return 0
	}
	for _, name := range c.list(admits, "relations") {
		bit, ok := model.ParseRelation(name)
		if !ok {
			c.addError("Audience."+audience, "@admits names the relation %s, which does not exist", name)
		}
		mask |= bit
	}
	return impliedBy(mask)
}

// valuesOf returns the values of a list. A single value is a list of one.
func valuesOf(value *ast.Value) []string {
	if value.Kind != ast.ListValue {
		return []string{value.Raw}
	}
	var all []string
	for _, child := range value.Children {
		all = append(all, child.Value.Raw)
	}
	return all
}

// impliedBy adds the relations that the mask implies: everyone is ANYONE, a caller with any
// other relation is SIGNED_IN, and a member of a team with a certain level is a member.
func impliedBy(mask model.Relations) model.Relations {
	switch {
	case mask.Any(model.Anyone):
		return model.AllRelations
	case mask.Any(model.SignedIn):
		return model.AllRelations &^ model.Anyone
	case mask.Any(model.Team):
		return mask | model.TeamClinical | model.TeamDesk
	default:
		return mask
	}
}

// audience returns the mask of the audience in an argument of a directive, which may be
// the default.
func (c *compiler) audience(where string, directive *ast.Directive, argument string) (model.Relations, bool) {
	value := c.value(directive, argument)
	if value == nil {
		c.addError(where, "@%s has no argument %s", directive.Name, argument)
		return 0, false
	}
	mask, ok := c.policy.Audiences[model.Audience(value.Raw)]
	if !ok {
		c.addError(where, "@%s(%s:) names the audience %s, which has no @admits", directive.Name, argument, value.Raw)
	}
	return mask, ok
}

func (c *compiler) value(directive *ast.Directive, argument string) *ast.Value {
	if arg := directive.Arguments.ForName(argument); arg != nil {
		return arg.Value
	}
	if def := c.schema.Directives[directive.Name]; def != nil {
		if arg := def.Arguments.ForName(argument); arg != nil {
			return arg.DefaultValue
		}
	}
	return nil
}

// list returns the values of an argument of a directive; none without it.
func (c *compiler) list(directive *ast.Directive, argument string) []string {
	if value := c.value(directive, argument); value != nil {
		return valuesOf(value)
	}
	return nil
}
