package rest

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// OpenAPI describes the addresses as OpenAPI 3.1 in JSON. It is made of the
// table and the schema, and of openapi.json for examples and errors: paths,
// bodies and answers are those that are served, and descriptions are the
// schema's. The same table, schema and version give the same bytes.
//
// An error names the row that does not fit the schema.
func OpenAPI(schema *ast.Schema, version string) ([]byte, error) {
	calls, err := calls(schema)
	if err != nil {
		return nil, err
	}
	d := newDescription(schema, calls)
	paths := d.paths(calls)
	for _, of := range d.Schemas {
		d.schemas = append(d.schemas, member{of.Name, of.Schema})
	}
	var b bytes.Buffer
	encode(&b, object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", d.Title},
			{"version", version},
			{"summary", d.Summary},
			{"description", d.Description},
			{"license", d.License},
		}},
		{"servers", []any{object{{"url", "/"}, {"description", "This server."}}}},
		{"tags", d.Tags},
		{"paths", paths},
		{"components", object{
			{"schemas", d.schemas},
			{"responses", d.Responses},
			{"headers", d.Headers},
			{"securitySchemes", d.SecuritySchemes},
		}},
	})
	return b.Bytes(), nil
}

// description gathers the named schemas while the paths are made.
type description struct {
	fixed

	schema  *ast.Schema
	schemas object
	// renamed are names in REST by those in GraphQL.
	renamed map[string]string
}

func newDescription(schema *ast.Schema, calls []call) *description {
	d := &description{fixed: fixedParts(), schema: schema, renamed: map[string]string{}}
	for _, c := range calls {
		if c.field != nil {
			d.rename(c.field)
		}
	}
	return d
}

// call is a row as it is described to others.
type call struct {
	*operation

	// id is the name of the operation, unique among all.
	id string
	// field is the root field of the document; nil where there is none.
	field *ast.Field
}

// calls compiles the table and keeps its order.
func calls(schema *ast.Schema) ([]call, error) {
	table, tags := rows(Options{}), fixedParts().Tags
	compiled, err := compile(schema, table)
	if err != nil {
		return nil, err
	}
	all, taken := make([]call, len(table)), map[string]bool{}
	for i, r := range table {
		c := call{operation: compiled[r.path].operations[r.method]}
		c.id, c.field = c.name, c.root.field
		tagged := false
		for _, tag := range tags {
			tagged = tagged || tag.Name == path(r.path).tag()
		}
		if c.id == "" || c.summary == "" || !tagged {
			return nil, fmt.Errorf("rest: %s %s: the row needs a name and a summary, and its first word a text", r.method, r.path)
		}
		if taken[c.id] {
			c.id = strings.ToLower(r.method) + upperFirst(strings.TrimSuffix(path(r.path).tag(), "s"))
		}
		taken[c.id] = true
		all[i] = c
	}
	return all, nil
}

// paths are in the order of the table.
func (d *description) paths(calls []call) object {
	var paths object
	for _, c := range calls {
		method := member{strings.ToLower(c.method), d.operation(c)}
		if i := paths.index(c.path); i >= 0 {
			methods, _ := paths[i].value.(object)
			methods = append(methods, method)
			paths[i].value = methods
			continue
		}
		paths = append(paths, member{c.path, object{method}})
	}
	return paths
}

func (o object) index(name string) int {
	for i, m := range o {
		if m.name == name {
			return i
		}
	}
	return -1
}

func (d *description) operation(c call) object {
	op := object{
		{"operationId", c.id},
		{"tags", []string{path(c.path).tag()}},
		{"summary", c.summary},
	}
	if text := d.text(c); text != "" {
		op = append(op, member{"description", text})
	}
	if parameters := d.parameters(c); len(parameters) > 0 {
		op = append(op, member{"parameters", parameters})
	}
	if len(c.inputs) > 0 {
		op = append(op, member{"requestBody", d.requestBody(c)})
	}
	security := []any{}
	if !c.public {
		security = []any{object{{"bearer", []string{}}}}
	}
	return append(op, member{"responses", d.responses(c)}, member{"security", security})
}

// text returns the schema's words about the root field.
func (d *description) text(c call) string {
	if c.field == nil {
		return ""
	}
	return d.words(c.subjectField().Description)
}

// subjectField is the field that the answer is the value of: the root field or,
// where that is written as one value of its own, the list in it.
func (c call) subjectField() *ast.FieldDefinition {
	n := c.root
	for n.shown == 1 && !isConnection(n.typeName()) && !isPayload(n.typeName()) {
		n = n.written()[0]
	}
	return n.field.Definition
}

func isConnection(typ string) bool { return strings.HasSuffix(typ, "Connection") }

// words returns a description of the schema with the names of REST, the lines of
// each paragraph joined.
func (d *description) words(text string) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		parts := strings.Split(strings.Join(strings.Fields(p), " "), "`")
		for j := 1; j < len(parts); j += 2 { // between back quotes
			if renamed := d.renamed[parts[j]]; renamed != "" {
				parts[j] = renamed
			}
		}
		paragraphs[i] = strings.Join(parts, "`")
	}
	return strings.Join(paragraphs, "\n\n")
}

// rename notes the fields that have another name here.
func (d *description) rename(f *ast.Field) {
	for _, selection := range f.SelectionSet {
		if child, ok := selection.(*ast.Field); ok {
			if len(child.SelectionSet) == 0 && child.Alias != child.Name && child.Alias != "etag" {
				d.renamed[child.Name] = child.Alias
			}
			d.rename(child)
		}
	}
}

// path is a path of the table.
type path string

var placeholders = regexp.MustCompile(`\{(\w+)\}`)

func (p path) tag() string {
	tag, _, _ := strings.Cut(strings.TrimPrefix(string(p), prefix), "/")
	return tag
}

// hasID says whether the address is one of a single record.
func (p path) hasID() bool { return placeholders.MatchString(string(p)) }

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func reference(kind, name string) object {
	return object{{"$ref", "#/components/" + kind + "/" + name}}
}
