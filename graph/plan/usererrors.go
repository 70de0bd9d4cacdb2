package plan

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

// userErrors writes the userErrors of a payload.
type userErrors struct {
	index   int
	objects plain[*gen.UserError]
}

func (u userErrors) write(e *encoding, _ row) {
	e.out = u.objects.append(e.out, e.mutated[u.index].UserErrors)
}

// plain writes a list of objects without rules.
type plain[T any] []plainField[T]

// plainField is a selected field; text is its name as JSON with a colon.
type plainField[T any] struct {
	text  string
	value func(b []byte, of T) []byte
}

func (p plain[T]) append(b []byte, all []T) []byte {
	return appendList(b, all, func(b []byte, of T) []byte {
		b = append(b, '{')
		for i, f := range p {
			if i > 0 {
				b = append(b, ',')
			}
			b = f.value(append(b, f.text...), of)
		}
		return append(b, '}')
	})
}

func appendList[T any](b []byte, all []T, value func(b []byte, of T) []byte) []byte {
	b = append(b, '[')
	for i, of := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = value(b, of)
	}
	return append(b, ']')
}

// plainOf compiles the selection of a type. values returns the writer of a field.
func plainOf[T any](
	c *compilation, f graphql.CollectedField, values func(graphql.CollectedField) (func([]byte, T) []byte, error),
) (p plain[T], err error) {
	typ := f.Definition.Type.Name()
	for _, s := range c.fields(f.Selections, typ) {
		value := func(b []byte, _ T) []byte { return append(b, quoted(typ)...) }
		if s.Name != "__typename" {
			if value, err = values(s); err != nil {
				return nil, err
			}
		}
		p = append(p, plainField[T]{quoted(s.Alias) + ":", value})
	}
	return p, nil
}

func (c *compilation) userErrors(index int, f graphql.CollectedField) (value, error) {
	objects, err := plainOf(c, f, func(s graphql.CollectedField) (func([]byte, *gen.UserError) []byte, error) {
		switch s.Name {
		case "field":
			return appendField, nil
		case "code":
			return func(b []byte, of *gen.UserError) []byte { return model.AppendText(b, of.Code) }, nil
		case "message":
			return func(b []byte, of *gen.UserError) []byte { return model.AppendText(b, of.Message) }, nil
		case "params":
			params, err := c.params(s)
			return func(b []byte, of *gen.UserError) []byte { return params.append(b, of.Params) }, err
		default:
			return nil, errUnsupported{"UserError." + s.Name}
		}
	})
	return userErrors{index, objects}, err
}

// appendField writes the path of the wrong field, null without one.
func appendField(b []byte, of *gen.UserError) []byte {
	if of.Field == nil {
		return append(b, "null"...)
	}
	return appendList(b, of.Field, model.AppendText[string])
}

func (c *compilation) params(f graphql.CollectedField) (plain[*model.ErrorParam], error) {
	return plainOf(c, f, func(s graphql.CollectedField) (func([]byte, *model.ErrorParam) []byte, error) {
		switch s.Name {
		case "name":
			return func(b []byte, of *model.ErrorParam) []byte { return model.AppendText(b, of.Name) }, nil
		case "value":
			return func(b []byte, of *model.ErrorParam) []byte { return model.AppendText(b, of.Value) }, nil
		default:
			return nil, errUnsupported{"ErrorParam." + s.Name}
		}
	})
}
