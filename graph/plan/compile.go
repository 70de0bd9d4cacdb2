package plan

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// errUnsupported leaves the operation to gqlgen, which answers every operation.
type errUnsupported struct{ reason string }

func (u errUnsupported) Error() string { return "no plan for " + u.reason }

// compilation is the compilation of one plan.
type compilation struct {
	*Compiler

	op   *graphql.OperationContext
	plan *Plan
}

// location is a record in the result of one of the plan's loads.
type location struct {
	load int
	join *query.Join
}

func (at location) typ() string { return at.join.Type().Name }

// fields returns the selected fields of a type, as gqlgen's executor collects them.
func (c *compilation) fields(selections ast.SelectionSet, typ string) []graphql.CollectedField {
	def := c.Schema.Types[typ]
	return graphql.CollectFields(c.op, selections, append([]string{typ}, def.Interfaces...))
}

// quoted returns a name as JSON. Names need no escapes.
func quoted(name string) string { return `"` + name + `"` }

// object compiles the selection of a record.
func (c *compilation) object(at location, selections ast.SelectionSet) (*object, error) {
	o := &object{relations: -1}
	rule := c.Policy.Types[at.typ()]
	for _, selected := range c.fields(selections, at.typ()) {
		f := newField(selected)
		if selected.Name == "__typename" {
			f.value = constant(quoted(at.typ()))
			o.fields = append(o.fields, f)
			continue
		}
		f.rule, f.guarded = rule.Fields[selected.Name], !rule.ReadableByAll(selected.Name)
		if f.guarded {
			o.relations = at.join.Relations()
		}
		var err error
		if f.value, err = c.value(at, selected); err != nil {
			return nil, err
		}
		o.fields = append(o.fields, f)
	}
	return o, nil
}

// value compiles a field of a record by what gqlgen binds it to.
func (c *compilation) value(at location, f graphql.CollectedField) (value, error) {
	binding := gen.Bindings[at.typ()][f.Name]
	switch {
	case binding.Field != "":
		return c.column(at, binding.Field)
	case binding.Method == "NodeID":
		return column{at.join.ID(), writeID(at.join.Type().Kind)}, nil
	case strings.HasPrefix(binding.Method, "Format"):
		return c.phone(at, strings.TrimPrefix(binding.Method, "Format"), f)
	case binding.Resolver:
		return c.resolver(at, f)
	default:
		return nil, errUnsupported{at.typ() + "." + f.Name}
	}
}

func (c *compilation) column(at location, name string) (value, error) {
	declared, ok := at.join.Type().Model.FieldByName(name)
	if !ok {
		return nil, fmt.Errorf("%s has no field %s", at.typ(), name)
	}
	text, err := writerOf(declared.Type)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", at.typ(), name, err)
	}
	index, err := at.join.Column(name)
	return column{index, text}, err
}

func (c *compilation) phone(at location, name string, f graphql.CollectedField) (value, error) {
	args, err := gen.Arguments(c.ctx, at.typ(), f.Name, f.ArgumentMap(c.op.Variables))
	if err != nil {
		return nil, errUnsupported{ReasonArguments}
	}
	index, err := at.join.Column(name)
	return column{index, writePhone(args["format"].(model.PhoneFormat))}, err
}

// isComputed reports whether a field is computed from other columns.
func isComputed(field string) bool {
	return field == "age" || field == "viewer" || field == "isCurrent"
}

// resolver compiles a field with a resolver.
func (c *compilation) resolver(at location, f graphql.CollectedField) (value, error) {
	switch f.Name {
	case "age":
		born, err := at.join.Column("DateOfBirth")
		return age{born}, err
	case "viewer":
		return c.access(at, f), nil
	case "isCurrent":
		session, err := at.join.Column("SessionID")
		return isCurrent{session}, err
	}
	if at.load == noLoad {
		return nil, errUnsupported{ReasonReads}
	}
	if node, ok := at.join.List(f.Name); ok {
		return c.listOf(at, f, node)
	}
	joined, ok := at.join.One(f.Name)
	if !ok {
		return nil, errUnsupported{at.typ() + "." + f.Name}
	}
	if joined.Siblings() > maxJoined {
		return nil, errUnsupported{ReasonSize}
	}
	inner, err := c.object(location{at.load, joined}, f.Selections)
	return edge{joined.Present(), inner}, err
}

// access compiles what the viewer may do with a record.
func (c *compilation) access(at location, f graphql.CollectedField) value {
	selected := c.fields(f.Selections, "ViewerAccess")
	describe := c.Access // and not c, which holds the request
	return &access{relations: at.join.Relations(), describe: func(r model.Relations) []byte {
		allowed := describe(at.typ(), r)
		values := map[string]any{
			"__typename": "ViewerAccess", "relations": allowed.Relations, "canUpdate": allowed.CanUpdate, "canDelete": allowed.CanDelete,
			"writableFields": allowed.WritableFields, "redactedFields": allowed.RedactedFields,
		}
		b := []byte{'{'}
		for i, s := range selected {
			if i > 0 {
				b = append(b, ',')
			}
			text, err := json.Marshal(values[s.Name])
			if err != nil {
				panic(err) //nolint:forbidigo // names and booleans have a JSON form
			}
			b = append(append(b, quoted(s.Alias)+":"...), text...)
		}
		return append(b, '}')
	}}
}
