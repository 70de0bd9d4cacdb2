package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// node is a field of a document. It says how to write a part of the data into
// the answer.
type node struct {
	field *ast.Field
	name  string // its alias
	// key is the name as it is written in a JSON object.
	key      string
	kind     kind
	children []node
	// optional says that the data may lack the field.
	optional bool
	// shown is the number of children that are written.
	shown int
	// names maps the values of an enum to those in REST.
	names map[string]string
}

// kind says how a value is written.
type kind int

const (
	plain       kind = iota // like in GraphQL
	id                      // usr_1 as 1
	enum                    // PATIENT as patient
	record                  // an object or a list of them
	placeholder             // the message of the row

	// Not written; for the server only.
	userErrors
	pageInfo
	etag
)

func compileNode(schema *ast.Schema, selection ast.Selection) (node, error) {
	f, ok := selection.(*ast.Field)
	if !ok {
		return node{}, errors.New("the document must be made of fields, without fragments")
	}
	n := node{field: f, name: f.Alias, key: `"` + f.Alias + `":`, kind: kindOf(schema, f)}
	n.optional = f.Directives.ForName("include") != nil
	if n.kind == enum {
		n.names = map[string]string{}
		for _, c := range choices(schema, f.Definition.Type) {
			n.names[c.graphql] = c.rest
		}
	}
	for _, selection := range f.SelectionSet {
		child, err := compileNode(schema, selection)
		if err != nil {
			return node{}, err
		}
		n.children = append(n.children, child)
		if child.kind < userErrors {
			n.shown++
		}
	}
	return n, nil
}

func kindOf(schema *ast.Schema, f *ast.Field) kind {
	name := f.Definition.Type.Name()
	switch {
	case f.Name == "__typename":
		return placeholder
	case f.Alias == "userErrors":
		return userErrors
	case f.Alias == "pageInfo":
		return pageInfo
	case f.Alias == "etag":
		return etag
	case len(f.SelectionSet) > 0:
		return record
	case name == "ID":
		return id
	case schema.Types[name].Kind == ast.Enum:
		return enum
	default:
		return plain
	}
}

// has reports whether the tree contains a node of the kind.
func (n node) has(k kind) bool {
	for _, child := range n.children {
		if child.kind == k || child.has(k) {
			return true
		}
	}
	return false
}

// shaped is the content of a response's data.
type shaped struct {
	body []byte
	// etag and id are those of the record in the answer; empty if they were not
	// selected or there is no record.
	etag, id string
	// userErrors and pageInfo are the JSON of those fields.
	userErrors, pageInfo []byte
}

// shape turns the JSON of data into that of the answer, in one pass. GraphQL
// writes the fields in the order of the selections, so there is nothing to look
// up and nothing to store except the text. The body reuses the memory of into,
// and is rarely longer than the data.
func (op *operation) shape(data, into []byte) (shaped, error) {
	s := shaper{data: data, message: op.message}
	s.body = slices.Grow(into[:0], len(data))
	if s.next("{"+op.root.key) && s.value(&op.root) && s.next("}") {
		return s.shaped, nil
	}
	return shaped{}, fmt.Errorf("the data does not fit the document at byte %d", s.at)
}

// shaper reads data, starting at the position at. Its methods report whether
// the data is what they expect.
type shaper struct {
	shaped

	data    []byte
	at      int
	message string
}

// next skips the text if it comes next.
func (s *shaper) next(text string) bool {
	rest := s.data[s.at:]
	if len(rest) < len(text) || string(rest[:len(text)]) != text {
		return false
	}
	s.at += len(text)
	return true
}

func (s *shaper) value(n *node) bool {
	if n.kind == record {
		switch {
		case s.next("{"):
			return s.object(n)
		case s.next("["):
			return s.list(n)
		}
	}
	raw := s.skip()
	switch {
	case len(raw) == 0:
		return false
	case n.kind >= userErrors:
		s.keep(n.kind, raw)
	case n.kind == placeholder:
		s.text(s.message)
	case raw[0] == '"':
		return s.string(n, raw)
	case n.kind != plain && string(raw) != "null":
		return false
	default:
		s.body = append(s.body, raw...)
	}
	return true
}

// object writes an object with one selected field as the value of that field.
func (s *shaper) object(n *node) bool {
	open := byte('{')
	for i := range n.children {
		child := &n.children[i]
		if child.optional && !bytes.HasPrefix(s.data[s.at:], []byte(","+child.key)) {
			continue
		}
		if i > 0 && !s.next(",") || !s.next(child.key) {
			return false
		}
		if n.shown > 1 && child.kind < userErrors {
			s.body = append(append(s.body, open), child.key...)
			open = ','
		}
		if !s.value(child) {
			return false
		}
	}
	switch n.shown {
	case 0:
		s.body = append(s.body, "null"...)
	case 1:
	default:
		s.body = append(s.body, '}')
	}
	return s.next("}")
}

func (s *shaper) list(n *node) bool {
	s.body = append(s.body, '[')
	for i := 0; !s.next("]"); i++ {
		if i > 0 {
			if !s.next(",") {
				return false
			}
			s.body = append(s.body, ',')
		}
		if !s.value(n) {
			return false
		}
	}
	s.body = append(s.body, ']')
	return true
}

func (s *shaper) keep(k kind, raw []byte) {
	switch k {
	case userErrors:
		s.userErrors = raw
	case pageInfo:
		s.pageInfo = raw
	default:
		s.etag = `"` + string(raw) + `"` // a version is a number
	}
}

// string writes a text according to the kind of its node.
func (s *shaper) string(n *node, raw []byte) bool {
	text := raw[1 : len(raw)-1]
	switch {
	case n.kind == id:
		_, number, found := bytes.Cut(text, []byte("_"))
		if s.id == "" {
			s.id = string(number)
		}
		s.body = append(s.body, number...)
		return found
	case n.kind == enum:
		name, known := n.names[string(text)]
		s.body = append(append(append(s.body, '"'), name...), '"')
		return known
	case bytes.Contains(text, []byte(`\u`)):
		// Some of these escapes are those that only HTML needs.
		var plain string
		if json.Unmarshal(raw, &plain) != nil {
			return false
		}
		s.text(plain)
	default:
		s.body = append(s.body, raw...)
	}
	return true
}

func (s *shaper) text(text string) {
	var b bytes.Buffer
	encode(&b, text)
	s.body = append(s.body, b.Bytes()...)
}

// skip returns the next value; empty if there is none.
func (s *shaper) skip() []byte {
	start, depth := s.at, 0
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case '"':
			if !s.skipString() {
				return nil
			}
			if depth == 0 {
				return s.data[start:s.at]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']', ',':
			if depth == 0 {
				return s.data[start:s.at]
			}
			if s.data[s.at] == ',' {
				break
			}
			if depth--; depth == 0 {
				s.at++
				return s.data[start:s.at]
			}
		}
		s.at++
	}
	return nil
}

// skipString moves behind the string that begins here.
func (s *shaper) skipString() bool {
	for s.at++; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	return false
}
