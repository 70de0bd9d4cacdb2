package policy

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// input is an input type of one mutation.
type input struct {
	*ast.Definition

	mutation *ast.FieldDefinition
}

// mutationInputs returns the inputs of all mutations, in the order of Mutation.
func (c *compiler) mutationInputs() (all []input) {
	if c.schema.Mutation == nil {
		return nil
	}
	for _, mutation := range c.schema.Mutation.Fields {
		for _, arg := range mutation.Arguments {
			if def := c.schema.Types[arg.Type.Name()]; def.Kind == ast.InputObject {
				all = append(all, input{def, mutation})
			}
		}
	}
	return all
}

// input checks an input. Of those that update, it collects the fields that they can
// set: inputs in the order of Mutation, the fields of each in the order of the
// record.
func (c *compiler) input(in input) {
	creates, updates := in.Directives.ForName("creates"), in.Directives.ForName("updates")
	switch {
	case creates != nil && updates != nil:
		c.addError(in.Name, "has both @creates and @updates")
	case creates != nil:
		if record := c.recordOf(in, creates); record != nil {
			c.createInput(in, record, c.exceptions(in, creates, record))
		}
	case updates != nil:
		if record := c.recordOf(in, updates); record != nil {
			c.updateInput(in, record, c.exceptions(in, updates, record))
		}
	case c.setsRecord(in):
		c.addError(in.Name, "sets a record in Mutation.%s, but has neither @creates nor @updates", in.mutation.Name)
	}
}

// setsRecord reports whether an input needs a directive: one of its fields is a writable
// field of the record, or the payload has only records. Inputs of sessions need none.
func (c *compiler) setsRecord(in input) bool {
	records, others := c.payloadRecords(in.mutation)
	for _, record := range records {
		for _, named := range in.Fields {
			if rule, ok := c.rule(record, counterpart(record, named.Name)); ok && rule.Write != 0 {
				return true
			}
		}
	}
	return len(records) > 0 && others == 0
}

// payloadRecords returns the records in the payload of a mutation, and the number of
// other objects. Lists, such as userErrors, do not count, nor does the record that keeps the
// mutation from setting a value, nor what is read after the mutation: query, and edges.
func (c *compiler) payloadRecords(mutation *ast.FieldDefinition) (records []*ast.Definition, others int) {
	payload := c.schema.Types[mutation.Type.Name()]
	if isRecord(payload) {
		return []*ast.Definition{payload}, 0
	}
	for _, field := range payload.Fields {
		switch def := c.schema.Types[field.Type.Name()]; {
		case field.Name == "existing":
		case isRecord(def):
			records = append(records, def)
		case c.isRoot(def), def.Fields.ForName("cursor") != nil:
		case def.Kind == ast.Object && field.Type.Elem == nil:
			others++
		}
	}
	return records, others
}

func isRecord(def *ast.Definition) bool {
	return def != nil && def.Kind == ast.Object && def.Directives.ForName("access") != nil
}

// recordOf returns the record that a directive of the input names. It must be the only
// record of the payload.
func (c *compiler) recordOf(in input, directive *ast.Directive) *ast.Definition {
	where, name := "Mutation."+in.mutation.Name, strings.Join(c.list(directive, "type"), " ")
	record := c.schema.Types[name]
	switch records, _ := c.payloadRecords(in.mutation); {
	case !isRecord(record):
		c.addError(in.Name, "@%s(type:) names %q, which is no type with @access", directive.Name, name)
	case len(records) != 1:
		c.addError(where, "its payload must have exactly one field whose type has @access, but has %d", len(records))
	case records[0] != record:
		c.addError(where, "answers with %s, but its input %s names %s", records[0].Name, in.Name, name)
	default:
		return record
	}
	return nil
}

// exceptions returns the fields of the input that a directive excepts. Each must be a
// field of the input that sets no field of the record.
func (c *compiler) exceptions(in input, directive *ast.Directive, record *ast.Definition) []string {
	except := c.list(directive, "except")
	for _, name := range except {
		if in.Fields.ForName(name) == nil {
			c.addError(in.Name+"."+name, "@%s(except:) names it, but the input has no such field", directive.Name)
		} else if field := counterpart(record, name); field != "" {
			c.addError(in.Name+"."+name, "@%s(except:) names it, but it sets %s.%s", directive.Name, record.Name, field)
		}
	}
	return except
}

func (c *compiler) updateInput(in input, record *ast.Definition, except []string) {
	var fields []string
	for _, named := range in.Fields {
		where := in.Name + "." + named.Name
		if slices.Contains(except, named.Name) {
			continue
		}
		field := counterpart(record, named.Name)
		if field == "" {
			c.addError(where, "%s has no such field, and @updates(except:) does not name it", record.Name)
			continue
		}
		// A field without a rule has already been reported.
		if rule, ok := c.rule(record, field); ok && rule.Write == 0 {
			c.addError(record.Name+"."+field, "is set by %s, but nobody may write it", where)
		}
		fields = append(fields, field)
	}
	policy := c.policy.Types[record.Name]
	for _, field := range policy.Order {
		if slices.Contains(fields, field) && !slices.Contains(policy.Inputs, field) {
			policy.Inputs = append(policy.Inputs, field)
		}
	}
	c.policy.Types[record.Name] = policy
}

// createInput checks that each field of the input that is not excepted is a field of the
// record that the caller may set.
func (c *compiler) createInput(in input, record *ast.Definition, except []string) {
	for _, named := range in.Fields {
		if slices.Contains(except, named.Name) {
			continue
		}
		field := counterpart(record, named.Name)
		if field == "" {
			c.addError(in.Name+"."+named.Name, "%s has no such field, and @creates(except:) does not name it", record.Name)
			continue
		}
		c.createField(in, record, named.Name, field)
	}
}

// createField checks that the creator may set the field afterwards, too. The creator is
// the owner; with a mutation that everyone may call, the creator is the new account
// itself. Fields that no one may write are set once: those of an account, and ids of
// other records.
func (c *compiler) createField(in input, record *ast.Definition, name, field string) {
	public, creator := c.policy.CanCall("Mutation."+in.mutation.Name, model.Anyone), model.Owner
	if public {
		creator = model.Self
	}
	rule, ok := c.rule(record, field)
	once := rule.Write == 0 && (public || name != field)
	if ok && !once && !rule.Write.Any(creator) {
		c.addError(record.Name+"."+field, "is set by %s.%s, but %s may not write it", in.Name, name, names(creator))
	}
}

func (c *compiler) rule(record *ast.Definition, field string) (model.FieldPolicy, bool) {
	rule, ok := c.policy.Types[record.Name].Fields[field]
	return rule, ok
}

// counterpart returns the field of the record that a field of an input sets: the one of
// its name, or "account" for "accountId", or "".
func counterpart(record *ast.Definition, name string) string {
	for _, candidate := range []string{name, strings.TrimSuffix(name, "Id")} {
		if record.Fields.ForName(candidate) != nil {
			return candidate
		}
	}
	return ""
}
