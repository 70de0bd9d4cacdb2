// Package coerce reads the variables and the literals of an operation as values of
// their types, before anything is executed (GraphQL, 6.1.2 and 5.6.1). A document is
// compiled once; then each request costs one walk over its variables.
//
// The package knows the types of a schema and nothing about what they are for. It
// judges the kind of a value, not its text: the text of a custom scalar is up to the
// scalar. Its messages repeat no text of a client, because that may be about a patient.
package coerce

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Schema has the input types of a schema. It is safe for concurrent use.
type Schema struct {
	named map[string]*named
}

// named is an enum, an input object or a scalar.
type named struct {
	name string
	// values are the names of an enum.
	values []string
	// fields are those of an input object.
	fields []field
	// read reads a value of a scalar.
	read reader
}

// field is a field of an input object.
type field struct {
	name     string
	typ      *typ
	required bool
}

// typ is a type as a place of the schema has it.
type typ struct {
	// text is the type as the schema writes it, such as [ID!]!.
	text    string
	nonNull bool
	// elem is the type of the entries of a list; otherwise it is nil, and named is set.
	elem  *typ
	named *named
}

// New returns the input types of a schema. A custom scalar takes strings; those in
// numbers also take numbers, which become strings with the same digits.
func New(schema *ast.Schema, numbers ...string) *Schema {
	s := &Schema{named: map[string]*named{}}
	for name, def := range schema.Types {
		n := &named{name: name}
		switch def.Kind {
		case ast.Enum:
			for _, value := range def.EnumValues {
				n.values = append(n.values, value.Name)
			}
		case ast.InputObject: // its fields may have any of these types
		case ast.Scalar:
			n.read = readerOf(name, slices.Contains(numbers, name))
		default:
			continue
		}
		s.named[name] = n
	}
	for name, n := range s.named {
		if def := schema.Types[name]; def.Kind == ast.InputObject {
			for _, f := range def.Fields {
				n.fields = append(n.fields, field{f.Name, s.typ(f.Type), f.Type.NonNull && f.DefaultValue == nil})
			}
		}
	}
	return s
}

func (s *Schema) typ(t *ast.Type) *typ {
	out := &typ{text: t.String(), nonNull: t.NonNull}
	if t.Elem != nil {
		out.elem = s.typ(t.Elem)
	} else {
		out.named = s.named[t.NamedType]
	}
	return out
}

func (n *named) field(name string) *field {
	for i := range n.fields {
		if n.fields[i].name == name {
			return &n.fields[i]
		}
	}
	return nil
}
