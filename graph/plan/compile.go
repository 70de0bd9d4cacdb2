package plan

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// recordType is what must be known of a type of records beside the schema.
type recordType struct {
	kind  model.Kind
	model reflect.Type
}

var recordTypes = map[string]recordType{
	"User":    {model.KindUser, reflect.TypeFor[model.User]()},
	"Patient": {model.KindPatient, reflect.TypeFor[model.Patient]()},
	"Doctor":  {model.KindDoctor, reflect.TypeFor[model.Doctor]()},
	"Mapping": {model.KindMapping, reflect.TypeFor[model.Mapping]()},
}

// uncovered is why a plan cannot be made of an operation.
type uncovered struct{ reason string }

func (u uncovered) Error() string { return "no plan for " + u.reason }

// compilation is a plan that is being made.
type compilation struct {
	*Compiler

	op   *graphql.OperationContext
	plan *Plan
}

// place is a record in the result of one of the plan's reads.
type place struct {
	read   int
	record *store.Record
	typ    string
}

// fields returns what is selected of a type, as gqlgen's executor collects it.
func (c *compilation) fields(selections ast.SelectionSet, typ string) []graphql.CollectedField {
	def := c.Schema.Types[typ]
	return graphql.CollectFields(c.op, selections, append([]string{typ}, def.Interfaces...))
}

// quoted is a name as JSON; names need no escapes.
func quoted(name string) string { return `"` + name + `"` }

// object compiles the selection of a record.
func (c *compilation) object(at place, selections ast.SelectionSet) (*object, error) {
	o := &object{standing: -1}
	rule := c.Policy.Types[at.typ]
	for _, selected := range c.fields(selections, at.typ) {
		f := field{key: selected.Alias, text: quoted(selected.Alias) + ":", position: selected.Position}
		if selected.Name == "__typename" {
			f.value = constant(quoted(at.typ))
			o.fields = append(o.fields, f)
			continue
		}
		f.rule, f.guarded = rule.Fields[selected.Name], !rule.ReadableByAll(selected.Name)
		if f.guarded {
			o.standing = at.record.Relations()
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
func (c *compilation) value(at place, f graphql.CollectedField) (value, error) {
	binding := gen.Bindings[at.typ][f.Name]
	switch {
	case binding.Field != "":
		return c.column(at, binding.Field)
	case binding.Method == "NodeID":
		return column{at.record.ID(), writeID(recordTypes[at.typ].kind)}, nil
	case strings.HasPrefix(binding.Method, "Format"):
		return c.phone(at, strings.TrimPrefix(binding.Method, "Format"), f)
	case binding.Resolver:
		return c.resolved(at, f)
	default:
		return nil, uncovered{at.typ + "." + f.Name}
	}
}

func (c *compilation) column(at place, name string) (value, error) {
	declared, ok := recordTypes[at.typ].model.FieldByName(name)
	if !ok {
		return nil, fmt.Errorf("%s has no field %s", at.typ, name)
	}
	text, err := writerOf(declared.Type)
	if err != nil {
		return nil, fmt.Errorf("%s.%s: %w", at.typ, name, err)
	}
	index, err := at.record.Column(name)
	return column{index, text}, err //nolint:wrapcheck // says the type and the field
}

func (c *compilation) phone(at place, name string, f graphql.CollectedField) (value, error) {
	args, err := gen.Arguments(c.ctx, at.typ, f.Name, f.ArgumentMap(c.op.Variables))
	if err != nil {
		return nil, uncovered{ReasonArguments}
	}
	index, err := at.record.Column(name)
	return column{index, writePhone(args["format"].(model.PhoneFormat))}, err //nolint:wrapcheck // as above
}

// resolved compiles a field that is more than a column.
func (c *compilation) resolved(at place, f graphql.CollectedField) (value, error) {
	if list, ok := lists[at.typ+"."+f.Name]; ok {
		return c.listOf(at, f, list.other)
	}
	switch f.Name {
	case "age":
		born, err := at.record.Column("DateOfBirth")
		return age{born}, err //nolint:wrapcheck // as above
	case "viewer":
		return c.access(at, f), nil
	}
	joined, ok := at.record.Join(f.Name)
	if !ok {
		return nil, uncovered{at.typ + "." + f.Name}
	}
	if joined.Siblings() > mostJoined {
		return nil, uncovered{ReasonSize}
	}
	inner, err := c.object(place{at.read, joined, f.Definition.Type.Name()}, f.Selections)
	return one{joined.Present(), inner}, err
}

// access compiles what the viewer may do with a record.
func (c *compilation) access(at place, f graphql.CollectedField) value {
	selected := c.fields(f.Selections, "ViewerAccess")
	describe := c.Access // and not c, which holds the request
	return &access{standing: at.record.Relations(), describe: func(r model.Relations) []byte {
		allowed := describe(at.typ, r)
		b := []byte{'{'}
		for i, s := range selected {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, quoted(s.Alias)+":"...)
			switch s.Name {
			case "__typename":
				b = append(b, `"ViewerAccess"`...)
			case "relations":
				b = appendNames(b, allowed.Relations)
			case "canUpdate":
				b = strconv.AppendBool(b, allowed.CanUpdate)
			case "canDelete":
				b = strconv.AppendBool(b, allowed.CanDelete)
			case "writableFields":
				b = appendNames(b, allowed.WritableFields)
			case "redactedFields":
				b = appendNames(b, allowed.RedactedFields)
			}
		}
		return append(b, '}')
	}}
}

func appendNames[T ~string](b []byte, names []T) []byte {
	b = append(b, '[')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quoted(string(name))...)
	}
	return append(b, ']')
}
