package rest

import (
	"bytes"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// answerSchema describes what a row answers with when all is well, and gives
// an example of it.
func (d *description) answerSchema(c call) (schema object, sample any) {
	if c.field == nil {
		return object{{"type", "object"}, {"maxProperties", 0}}, object{}
	}
	return d.value(c, c.root, "", false)
}

// value describes what shape makes of a field. The owner is the type that the
// field belongs to.
func (d *description) value(c call, n node, owner string, nullable bool) (schema object, sample any) {
	if n.kind == placeholder {
		return object{{"type", "string"}, {"const", c.message}}, c.message
	}
	// What is null in a payload or at the root is an error in REST.
	nullable = nullable || (!n.field.Definition.Type.NonNull && owner != "" && !isPayload(owner))
	switch {
	case n.kind == record && n.field.Definition.Type.Elem != nil:
		item, sample := d.entry(c, n)
		return object{{"type", "array"}, {"items", item}}, []any{sample}
	case n.kind == record && n.shown == 1:
		only := n.written()[0]
		schema, sample = d.value(c, only, n.typeName(), nullable)
		if only.kind == record || owner == "" || isPayload(owner) {
			return schema, sample
		}
		schema = schema.with("description", d.words(n.field.Definition.Description))
		if given, ok := d.example(owner, n.name); ok {
			schema, sample = schema.with("examples", []any{given}), given
		}
		return schema, sample
	case n.kind == record:
		schema, sample = d.object(c, n)
		if nullable {
			schema = object{{"anyOf", []any{schema, object{{"type", "null"}}}}}
		}
		return schema, sample
	default:
		return d.leaf(n, owner, nullable)
	}
}

// entry describes one entry of a list.
func (d *description) entry(c call, n node) (schema object, sample any) {
	if n.shown == 1 {
		return d.value(c, n.written()[0], n.typeName(), false)
	}
	return d.object(c, n)
}

// object describes an object of several members under a name of its own.
func (d *description) object(c call, n node) (schema object, sample any) {
	typ := n.typeName()
	var properties, values object
	var required []string
	for _, child := range n.written() {
		property, value := d.value(c, child, typ, false)
		properties = append(properties, member{child.name, property})
		if child.optional {
			continue
		}
		values = append(values, member{child.name, value})
		required = append(required, child.name)
	}
	whole := object{{"type", "object"}}
	if !isPayload(typ) {
		whole = append(whole, member{"description", d.words(d.schema.Types[typ].Description)})
	}
	whole = append(whole, member{"properties", properties}, member{"required", required})
	name := typ
	if isPayload(typ) {
		name = upperFirst(c.id) + "Answer"
	}
	return d.named(name, upperFirst(c.id)+typ, whole), values
}

// named keeps a schema once, under the name or, when that is one of another,
// under the longer one.
func (d *description) named(name, longer string, schema object) object {
	for _, known := range d.schemas {
		if same(known.value, schema) {
			return reference("schemas", known.name)
		}
	}
	if d.schemas.index(name) >= 0 {
		name = longer
	}
	d.schemas = append(d.schemas, member{name, schema})
	return reference("schemas", name)
}

func same(a, b any) bool {
	var left, right bytes.Buffer
	encode(&left, a)
	encode(&right, b)
	return bytes.Equal(left.Bytes(), right.Bytes())
}

func (d *description) leaf(n node, owner string, nullable bool) (schema object, sample any) {
	f := n.field.Definition
	text := d.words(f.Description)
	if n.kind == id {
		text = "The number of the record. In GraphQL ids, the kind of the record comes before it."
	}
	schema = typed(f.Type)
	if n.kind == enum {
		schema = object{{"type", "string"}, {"enum", values(choices(d.schema, f.Type))}}
	}
	schema = append(schema, limits(f.Directives)...)
	if nullable {
		schema = schema.orNull()
	}
	if f.Type.Elem != nil {
		schema = object{{"type", "array"}, {"items", schema}}
	}
	schema = append(schema, member{"description", text})
	if sample, ok := d.example(owner, n.name); ok {
		return append(schema, member{"examples", []any{sample}}), sample
	}
	return schema, nil
}

// written are the children that are not for the server itself.
func (n node) written() (all []node) {
	for _, child := range n.children {
		if child.kind < userErrors {
			all = append(all, child)
		}
	}
	return all
}

func (n node) typeName() string { return n.field.Definition.Type.Name() }

// values are an enum's values as REST writes them.
func values(all []choice) []any {
	written := make([]any, len(all))
	for i, c := range all {
		written[i] = c.rest
	}
	return written
}

// typed is the JSON form of a scalar.
func typed(typ *ast.Type) object {
	forms := map[string]object{
		"ID":           {{"type", "integer"}, {"minimum", 1}},
		"Int":          {{"type", "integer"}, {"format", "int32"}},
		"Float":        {{"type", "number"}},
		"Boolean":      {{"type", "boolean"}},
		"DateTime":     {{"type", "string"}, {"format", "date-time"}},
		"Date":         {{"type", "string"}, {"format", "date"}},
		"Decimal":      {{"type", "string"}, {"pattern", `^-?\d+\.\d{2}$`}},
		"EmailAddress": {{"type", "string"}, {"format", "email"}},
	}
	if form, ok := forms[typ.Name()]; ok {
		return form
	}
	return object{{"type", "string"}}
}

// orNull adds null to the type, and to the choices where there are some.
func (o object) orNull() object {
	nullable := slices.Clone(o)
	for i, m := range nullable {
		switch value := m.value.(type) {
		case string:
			if m.name == "type" {
				nullable[i].value = []string{value, "null"}
			}
		case []string:
			if m.name == "type" && !slices.Contains(value, "null") {
				nullable[i].value = append(slices.Clone(value), "null")
			}
		case []any:
			if m.name == "enum" {
				nullable[i].value = append(slices.Clone(value), nil)
			}
		}
	}
	return nullable
}

// with sets a member.
func (o object) with(name string, value any) object {
	set := slices.Clone(o)
	if i := set.index(name); i >= 0 {
		set[i].value = value
		return set
	}
	return append(set, member{name, value})
}

// isPayload says whether the type is the answer to a mutation.
func isPayload(typ string) bool { return strings.HasSuffix(typ, "Payload") }
