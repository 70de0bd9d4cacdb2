package rest

import (
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// requestBody describes the fields of a row's body, the same in all three ways
// of sending it.
func (d *description) requestBody(c call) object {
	var properties object
	required, owner := []string{}, d.subject(c)
	for _, in := range c.inputs {
		property := d.input(c, in)
		if value, ok := example(owner, in.name); ok {
			property = append(property, member{"examples", []any{value}})
		}
		properties = append(properties, member{in.name, property})
		if !in.optional && !c.partial {
			required = append(required, in.name)
		}
	}
	schema := object{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		schema = append(schema, member{"required", required})
	}
	body := d.named(upperFirst(c.id)+"Body", upperFirst(c.id)+"RequestBody", schema)
	var content object
	sample := d.sampleBody(c)
	for _, media := range []string{mediaJSON, mediaForm, mediaMultipart} {
		content = append(content, member{media, object{{"schema", body}, {"example", sample}}})
	}
	return object{{"required", len(required) > 0}, {"content", content}}
}

// sampleBody is an example of a row's body.
func (d *description) sampleBody(c call) (sample object) {
	for _, in := range c.inputs {
		if value, ok := example(d.subject(c), in.name); ok {
			sample = append(sample, member{in.name, value})
		}
	}
	return sample
}

// subject is the type of what a row is about: that of the first field of its
// payload.
func (d *description) subject(c call) string {
	if c.field == nil {
		return ""
	}
	typ := c.field.Definition.Type.Name()
	if !isPayload(typ) {
		return typ
	}
	return d.schema.Types[typ].Fields[0].Type.Name()
}

// input describes one field of a body with the words of the schema, and its
// limits.
func (d *description) input(c call, in input) object {
	text, typ, directives := d.slotOf(c, in)
	if typ == nil {
		return object{{"type", "string"}}
	}
	schema := d.typed(typ)
	switch {
	case in.choices != nil:
		schema = object{{"type", "string"}, {"enum", values(in.choices)}}
	case typ.Name() == "Decimal":
		schema = object{{"type", []string{"string", "number"}}}
	}
	schema = append(schema, limits(directives)...)
	if in.optional {
		schema = schema.orNull()
	}
	if typ.Name() == "ID" {
		text = "" // it speaks of the form in GraphQL
	}
	if text == "" {
		return schema
	}
	return append(schema, member{"description", d.words(text)})
}

// slotOf finds where in the document the value goes. An input field that has no
// limits has those of the record's field of its name.
func (d *description) slotOf(c call, in input) (text string, typ *ast.Type, directives ast.DirectiveList) {
	if c.field == nil {
		return "", nil, nil
	}
	for _, argument := range c.field.Arguments {
		definition := c.field.Definition.Arguments.ForName(argument.Name)
		if c.inInput && argument.Value.Raw == "input" {
			f := d.schema.Types[definition.Type.Name()].Fields.ForName(in.input)
			if target := d.schema.Types[d.subject(c)].Fields.ForName(in.input); target != nil && limits(f.Directives) == nil {
				return f.Description, f.Type, target.Directives
			}
			return f.Description, f.Type, f.Directives
		}
		if !c.inInput && argument.Value.Raw == in.input {
			return definition.Description, definition.Type, nil
		}
	}
	return "", nil, nil
}

// limits are the keywords for @text and @range.
func limits(directives ast.DirectiveList) (keywords object) {
	for _, d := range directives {
		var least, greatest string
		switch d.Name {
		case "text":
			least, greatest = "minLength", "maxLength"
		case "range":
			least, greatest = "minimum", "maximum"
		default:
			continue
		}
		for _, limit := range []struct{ keyword, argument string }{{least, "min"}, {greatest, "max"}} {
			if argument := d.Arguments.ForName(limit.argument); argument != nil {
				keywords = append(keywords, member{limit.keyword, json.Number(argument.Value.Raw)})
			}
		}
	}
	return keywords
}
