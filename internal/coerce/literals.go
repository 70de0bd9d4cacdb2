package coerce

import (
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Operations compiles the operations of a valid document, or returns all faults of its
// literals. It writes each literal of the document as the resolvers want it: the digits
// of an ID or of a custom scalar become a string.
func (s *Schema) Operations(doc *ast.QueryDocument) (map[*ast.OperationDefinition]*Operation, gqlerror.List) {
	c := compilation{schema: s, fragments: map[*ast.FragmentDefinition]*usage{}}
	for _, fragment := range doc.Fragments {
		c.fragments[fragment] = c.usage(fragment.Directives, fragment.SelectionSet)
	}
	operations := make(map[*ast.OperationDefinition]*Operation, len(doc.Operations))
	for _, definition := range doc.Operations {
		o := &Operation{}
		all := map[string]string{}
		c.places(c.usage(definition.Directives, definition.SelectionSet), all, map[*usage]bool{})
		for _, v := range definition.VariableDefinitions {
			o.variables = append(o.variables, c.variable(v, all[v.Variable]))
		}
		operations[definition] = o
	}
	return operations, c.errs
}

// compilation is the compilation of one document.
type compilation struct {
	schema    *Schema
	fragments map[*ast.FragmentDefinition]*usage
	errs      gqlerror.List

	here *usage
	path []step
}

// usage is how an operation or a fragment uses variables.
type usage struct {
	// places are the types of places that take no null, by the variable there.
	places  map[string]string
	spreads []*ast.FragmentDefinition
}

// places adds the places of a usage and of the fragments that it spreads.
func (c *compilation) places(u *usage, all map[string]string, visited map[*usage]bool) {
	if visited[u] {
		return
	}
	visited[u] = true
	for name, place := range u.places {
		all[name] = place
	}
	for _, fragment := range u.spreads {
		c.places(c.fragments[fragment], all, visited)
	}
}

func (c *compilation) variable(definition *ast.VariableDefinition, place string) variable {
	v := variable{name: definition.Variable, typ: c.schema.typ(definition.Type), position: definition.Position, place: place}
	if v.typ.nonNull {
		v.place = ""
	}
	if definition.DefaultValue == nil {
		return v
	}
	v.hasDefault = true
	c.path = append(c.path[:0], step{name: definition.Variable})
	if c.literal(v.typ, definition.DefaultValue) {
		value, err := definition.DefaultValue.Value(nil)
		if err == nil && value != nil { // literal has checked it
			value = (&reading{root: &v}).value(v.typ, value)
		}
		v.value = value
	}
	return v
}

// usage checks the literals of directives and selections.
func (c *compilation) usage(directives ast.DirectiveList, selections ast.SelectionSet) *usage {
	u := &usage{places: map[string]string{}}
	c.here = u
	c.directives(directives)
	c.selections(selections)
	return u
}

func (c *compilation) selections(set ast.SelectionSet) {
	for _, selection := range set {
		switch it := selection.(type) {
		case *ast.Field:
			c.arguments(it.Definition.Arguments, it.Arguments)
			c.directives(it.Directives)
			c.selections(it.SelectionSet)
		case *ast.InlineFragment:
			c.directives(it.Directives)
			c.selections(it.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(it.Directives)
			c.here.spreads = append(c.here.spreads, it.Definition)
		}
	}
}

func (c *compilation) directives(list ast.DirectiveList) {
	for _, directive := range list {
		c.arguments(directive.Definition.Arguments, directive.Arguments)
	}
}

func (c *compilation) arguments(definitions ast.ArgumentDefinitionList, given ast.ArgumentList) {
	for _, argument := range given {
		c.path = append(c.path[:0], step{name: argument.Name})
		c.literal(c.schema.typ(definitions.ForName(argument.Name).Type), argument.Value)
	}
}

// literal checks a literal and writes it as the resolvers want it. It reports whether
// there is no fault.
func (c *compilation) literal(t *typ, v *ast.Value) bool {
	switch {
	case v.Kind == ast.Variable:
		v.VariableDefinition = nil // of one operation; others may have another default
		if t.nonNull {
			c.here.places[v.Raw] = t.text
		}
		return true
	case v.Kind == ast.NullValue:
		return !t.nonNull || c.fault(v, notNull(t.text))
	case t.elem != nil:
		return c.list(t, v)
	case t.named.values != nil:
		fault := t.named.enumFault(v.Raw)
		if v.Kind != ast.EnumValue {
			fault = fmt.Sprintf("Enum %q cannot represent non-enum value: %s.", t.named.name, hidden(shallow(v)))
		}
		return fault == "" || c.fault(v, fault)
	case t.named.read == nil:
		return c.object(t.named, v)
	}
	read, fault := t.named.read(shallow(v))
	if fault != "" {
		return c.fault(v, fault)
	}
	if _, isText := read.(string); isText && (v.Kind == ast.IntValue || v.Kind == ast.FloatValue) {
		v.Kind = ast.StringValue
	}
	return true
}

func (c *compilation) list(t *typ, v *ast.Value) bool {
	if v.Kind != ast.ListValue {
		return c.literal(t.elem, v)
	}
	ok := true
	for i, child := range v.Children {
		c.path = append(c.path, step{index: i})
		ok = c.literal(t.elem, child.Value) && ok
		c.path = c.path[:len(c.path)-1]
	}
	return ok
}

func (c *compilation) object(n *named, v *ast.Value) bool {
	if v.Kind != ast.ObjectValue {
		return c.fault(v, fmt.Sprintf("Expected type %q to be an object.", n.name))
	}
	ok := true
	for _, child := range v.Children {
		f := n.field(child.Name)
		if f == nil {
			ok = c.fault(child.Value, unknownField(child.Name, n))
			continue
		}
		c.path = append(c.path, step{name: child.Name})
		ok = c.literal(f.typ, child.Value) && ok
		c.path = c.path[:len(c.path)-1]
	}
	for i := range n.fields {
		f := &n.fields[i]
		if !f.required || v.Children.ForName(f.name) != nil {
			continue
		}
		c.path = append(c.path, step{name: f.name})
		ok = c.fault(v, missingField(f))
		c.path = c.path[:len(c.path)-1]
	}
	return ok
}

// fault reports a fault of a literal, and returns false.
func (c *compilation) fault(v *ast.Value, message string) bool {
	if len(c.errs) < maxFaults {
		c.errs = append(c.errs, newError(v.Position, message, "argument", pathText(c.path)[1:]))
	}
	return false
}

// shallow returns a literal as the readers take it, with nothing in lists and objects.
func shallow(v *ast.Value) any {
	switch v.Kind {
	case ast.IntValue:
		return json.Number(v.Raw)
	case ast.FloatValue:
		return float(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.EnumValue:
		return name(v.Raw)
	case ast.ListValue:
		return []any{}
	case ast.ObjectValue:
		return map[string]any{}
	default:
		return v.Raw
	}
}
