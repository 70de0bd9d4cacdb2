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
		if value, ok := d.example(owner, in.name); ok {
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
		if value, ok := d.example(d.subject(c), in.name); ok {
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
// limits. An input field that has no limits has those of the record's field of
// its name.
func (d *description) input(c call, in input) object {
	f := in.definition
	if f == nil {
		return object{{"type", "string"}}
	}
	schema := typed(f.Type)
	switch {
	case in.choices != nil:
		schema = object{{"type", "string"}, {"enum", values(in.choices)}}
	case in.typ == "Decimal":
		schema = object{{"type", []string{"string", "number"}}}
	}
	bounds := limits(f.Directives)
	if bounds == nil && c.inInput {
		if target := d.schema.Types[d.subject(c)].Fields.ForName(in.input); target != nil {
			bounds = limits(target.Directives)
		}
	}
	schema = append(schema, bounds...)
	if in.optional {
		schema = schema.orNull()
	}
	if f.Description == "" || in.typ == "ID" { // the text for an ID describes its GraphQL form
		return schema
	}
	return append(schema, member{"description", d.words(f.Description)})
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
