package rest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
)

// OpenAPI describes the addresses as OpenAPI 3.1 in JSON. It is made of the
// table and the schema and of nothing else but the examples: paths, bodies and
// answers are those that are served, and descriptions are the schema's. The
// same table, schema and version give the same bytes.
//
// An error names the row that does not fit the schema.
func OpenAPI(schema *ast.Schema, version string) ([]byte, error) {
	calls, err := calls(schema)
	if err != nil {
		return nil, err
	}
	d := newDescription(schema, calls)
	paths := d.paths(calls)
	var b bytes.Buffer
	encode(&b, object{
		{"openapi", "3.1.0"},
		{"info", object{
			{"title", "CareGraph REST API"},
			{"version", version},
			{"summary", "Patients, doctors, and which doctor treats which patient."},
			{"description", about},
			{"license", object{{"name", "MIT"}, {"identifier", "MIT"}}},
		}},
		{"servers", []any{object{{"url", "/"}, {"description", "This server."}}}},
		{"tags", d.tags(calls)},
		{"paths", paths},
		{"components", object{
			{"schemas", append(d.schemas, errorSchemas()...)},
			{"responses", errorResponses()},
			{"headers", commonHeaders()},
			{"securitySchemes", object{{bearerScheme, object{
				{"type", "http"},
				{"scheme", "bearer"},
				{"bearerFormat", "JWT"},
				{"description", "The access token that register, login and refresh return."},
			}}}},
		}},
	})
	return b.Bytes(), nil
}

const about = "Every call runs through the same executor as `/graphql`, so the same rules say who may see, set and call what. " +
	"Register or sign in, and send the access token as `Authorization: Bearer <access>`.\n\n" +
	"Bodies are JSON, forms or multipart forms; unknown members are ignored. Every address answers `OPTIONS`, and " +
	"`HEAD` where it answers `GET`; any other method is 405 with `Allow`."

const bearerScheme = "bearer"

// description gathers the named schemas while the paths are made.
type description struct {
	schema  *ast.Schema
	schemas object
	// renamed are names in REST by those in GraphQL.
	renamed map[string]string
}

func newDescription(schema *ast.Schema, calls []call) *description {
	d := &description{schema: schema, renamed: map[string]string{}}
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
	table := rows(Options{})
	compiled, err := compile(schema, table)
	if err != nil {
		return nil, err
	}
	all, taken := make([]call, len(table)), map[string]bool{}
	for i, r := range table {
		c := call{operation: compiled[r.path].operations[r.method], id: path(r.path).camel()}
		if err := c.parse(schema); err != nil {
			return nil, fmt.Errorf("rest: %s %s: %w", r.method, r.path, err)
		}
		if taken[c.id] {
			c.id = strings.ToLower(r.method) + upperFirst(strings.TrimSuffix(path(r.path).tag(), "s"))
		}
		taken[c.id] = true
		all[i] = c
		if c.summary == "" || tagTexts()[path(c.path).tag()] == "" {
			return nil, fmt.Errorf("rest: %s %s: the row needs a summary, and its first word a text", r.method, r.path)
		}
	}
	return all, nil
}

// parse keeps what the document says about its types, which the operation has
// no need of.
func (c *call) parse(schema *ast.Schema) error {
	if c.document == "" {
		return nil
	}
	parsed, err := parse(schema, c.document)
	if err != nil {
		return err
	}
	root, ok := parsed.SelectionSet[0].(*ast.Field)
	if !ok || parsed.Name == "" {
		return errors.New("the document must have a name and be made of fields")
	}
	c.field, c.id = root, lowerFirst(parsed.Name)
	return nil
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
		security = []any{object{{bearerScheme, []string{}}}}
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
	n, f := c.root, c.field
	for n.shown == 1 && !isConnection(f.Definition.Type.Name()) && !isPayload(f.Definition.Type.Name()) {
		n = n.written()[0]
		f = fieldNamed(f, n.name)
	}
	return f.Definition
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

// tags are the first words of the paths, in the order of the table.
func (d *description) tags(calls []call) (tags []any) {
	seen := map[string]bool{}
	for _, c := range calls {
		if name := path(c.path).tag(); !seen[name] {
			seen[name] = true
			tags = append(tags, object{{"name", name}, {"description", tagTexts()[name]}})
		}
	}
	return tags
}

func tagTexts() map[string]string {
	return map[string]string{
		"auth":     "Accounts and sessions.",
		"patients": "Patient records.",
		"doctors":  "The list of doctors.",
		"mappings": "Which doctor treats which patient.",
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

// camel is the path as one word: /api/token/verify/ is tokenVerify.
func (p path) camel() string {
	words := strings.FieldsFunc(placeholders.ReplaceAllString(strings.TrimPrefix(string(p), prefix), ""), func(r rune) bool { return !unicode.IsLetter(r) })
	for i := range words {
		if i > 0 {
			words[i] = upperFirst(words[i])
		}
	}
	return strings.Join(words, "")
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func reference(kind, name string) object {
	return object{{"$ref", "#/components/" + kind + "/" + name}}
}
