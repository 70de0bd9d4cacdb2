package policy

import (
	"maps"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// constraints compiles @text and @range, and checks these and @userErrors. A directive
// without effect is an error.
func (c *compiler) constraints() {
	s := c.setters()
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def, found := c.schema.Types[name], model.Constraints{}
		for _, field := range def.Fields {
			where := name + "." + field.Name
			if why := s.whyUnread(def, field); why != "" {
				c.forbidDirective(where, field, "text", why)
				c.forbidDirective(where, field, "range", why)
			}
			constraint := c.limits(where, field)
			if isRecord(def) && constraint.Min > 0 {
				c.forbidDirective(where, field, "text", "a text of a record has no min, it is required or may be empty")
			}
			constraint.Required = s.required(field)
			if constraint != (model.Constraint{}) {
				found[field.Name] = constraint
			}
			c.userErrors(def, field)
		}
		if policy, ok := c.policy.Types[name]; ok {
			policy.Constraints = found
			c.policy.Types[name] = policy
		}
	}
}

// setters says which inputs of mutations set which fields of records.
type setters struct {
	// records maps the input of each mutation to the first record of the payload, or nil.
	records map[*ast.Definition]*ast.Definition
	// sources maps a field of a record to the input fields of its name.
	sources map[*ast.FieldDefinition]ast.FieldList
}

func (c *compiler) setters() setters {
	s := setters{map[*ast.Definition]*ast.Definition{}, map[*ast.FieldDefinition]ast.FieldList{}}
	for _, in := range c.mutationInputs() {
		s.records[in.Definition] = nil
		records, _ := c.payloadRecords(in.mutation)
		if len(records) == 0 {
			continue
		}
		s.records[in.Definition] = records[0]
		for _, field := range in.Fields {
			if target := records[0].Fields.ForName(field.Name); target != nil {
				s.sources[target] = append(s.sources[target], field)
			}
		}
	}
	return s
}

// whyUnread returns why nothing reads the limit of a field, or "".
func (s setters) whyUnread(def *ast.Definition, field *ast.FieldDefinition) string {
	record, isInput := s.records[def]
	switch {
	case isRecord(def) && len(s.sources[field]) == 0:
		return "no input of a mutation sets it"
	case !isRecord(def) && !isInput:
		return "it is neither a field of a record nor of a mutation's input"
	case record != nil && record.Fields.ForName(field.Name) != nil:
		return "the limit belongs to " + record.Name + "." + field.Name
	default:
		return ""
	}
}

// required reports whether an input sets the field and either is non-null.
func (s setters) required(field *ast.FieldDefinition) bool {
	sources := s.sources[field]
	return len(sources) > 0 && (field.Type.NonNull ||
		slices.ContainsFunc(sources, func(source *ast.FieldDefinition) bool { return source.Type.NonNull }))
}

// limits returns the bounds of the field's @text or @range.
func (c *compiler) limits(where string, field *ast.FieldDefinition) (limit model.Constraint) {
	for _, of := range []struct {
		directive string
		types     []string
	}{{"text", []string{"String", "EmailAddress"}}, {"range", []string{"Int", "Decimal"}}} {
		directive := field.Directives.ForName(of.directive)
		if directive == nil {
			continue
		}
		if field.Type.Elem != nil || !slices.Contains(of.types, field.Type.Name()) {
			c.addError(where, "@%s does not fit the type %s", of.directive, field.Type)
		}
		limit.Min, limit.Max = c.number(where, directive, "min"), c.number(where, directive, "max")
		if limit.Min > limit.Max {
			c.addError(where, "@%s has the min %d and the max %d", of.directive, limit.Min, limit.Max)
		}
	}
	return limit
}

func (c *compiler) number(where string, directive *ast.Directive, argument string) int {
	value := c.value(directive, argument)
	if value == nil {
		c.addError(where, "@%s has no argument %s", directive.Name, argument)
		return 0
	}
	number, err := strconv.Atoi(value.Raw)
	if err != nil {
		c.addError(where, "@%s(%s:) is no number: %s", directive.Name, argument, value.Raw)
	}
	return number
}

// userErrors checks the codes of a mutation.
func (c *compiler) userErrors(def *ast.Definition, field *ast.FieldDefinition) {
	where, directive := def.Name+"."+field.Name, field.Directives.ForName("userErrors")
	if directive == nil {
		return
	}
	if def != c.schema.Mutation {
		c.forbidDirective(where, field, "userErrors", "it is no mutation")
		return
	}
	value := c.value(directive, "codes")
	if value == nil {
		c.addError(where, "@userErrors has no argument codes")
		return
	}
	for _, code := range valuesOf(value) {
		if c.enum("UserErrorCode").ForName(code) == nil {
			c.addError(where, "@userErrors names the code %s, which does not exist", code)
		}
	}
}
