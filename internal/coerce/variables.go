package coerce

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Operation reads the variables of one operation. It is safe for concurrent use.
type Operation struct {
	variables []variable
}

// variable is the definition of a variable.
type variable struct {
	name       string
	typ        *typ
	position   *ast.Position
	hasDefault bool
	value      any // the default
	// place is the type of a place that takes no null, where the variable is used although
	// it may be null (GraphQL, 5.8.5); "" if there is none.
	place string
}

// code is the code of every error of this package.
const code = "BAD_USER_INPUT"

// Variables returns the values of the variables of the operation, by their types, or all
// faults: then nothing must be executed. A null stays null, an absent variable without a
// default stays absent, and a single value becomes a list where a list is wanted.
// Variables changes given values in place. It returns the given map unless it must differ.
func (o *Operation) Variables(given map[string]any) (map[string]any, gqlerror.List) {
	if len(o.variables) == 0 {
		return nil, nil
	}
	if given == nil {
		given = map[string]any{}
	}
	values, isCopy, used := given, false, 0
	r := reading{}
	for i := range o.variables {
		v := &o.variables[i]
		sent, present := given[v.name]
		if present {
			used++
		}
		value := sent
		r.root, r.path = v, r.path[:0]
		switch {
		case !present && v.hasDefault:
			value, present = v.value, true
		case !present && v.typ.nonNull:
			r.report(fmt.Sprintf(`Variable "$%s" of required type %q was not provided.`, v.name, v.typ.text))
		case !present:
		case value == nil && v.typ.nonNull:
			r.report(fmt.Sprintf(`Variable "$%s" of non-null type %q must not be null.`, v.name, v.typ.text))
		default:
			value = r.value(v.typ, value)
		}
		if present && value == nil && v.place != "" {
			r.invalid(nil, notNull(v.place))
		}
		if !present || same(value, sent) {
			continue
		}
		if !isCopy {
			values, isCopy = maps.Clone(given), true
		}
		values[v.name] = value
	}
	if used < len(given) {
		values = maps.Clone(values)
		maps.DeleteFunc(values, func(name string, _ any) bool { return !o.has(name) })
	}
	return values, r.errs
}

func (o *Operation) has(name string) bool {
	return slices.ContainsFunc(o.variables, func(v variable) bool { return v.name == name })
}

// reading is the state of reading the variables of one request.
type reading struct {
	root *variable
	path []step
	errs gqlerror.List
}

// step is a step of a path: the name of a field, or an index.
type step struct {
	name  string
	index int
}

// value reads a value that is not known to be null.
func (r *reading) value(t *typ, value any) any {
	switch {
	case value == nil && t.nonNull:
		r.invalid(value, notNull(t.text))
	case value == nil:
	case t.elem != nil:
		return r.list(t, value)
	case t.named.values != nil:
		if fault := t.named.enumFault(value); fault != "" {
			r.invalid(value, fault)
		}
	case t.named.read == nil:
		r.object(t.named, value)
	default:
		read, fault := t.named.read(value)
		if fault != "" {
			r.invalid(value, fault)
		}
		return read
	}
	return value
}

func (r *reading) list(t *typ, value any) any {
	items, ok := value.([]any)
	if !ok {
		return []any{r.value(t.elem, value)}
	}
	for i, item := range items {
		if len(r.errs) > maxFaults {
			break
		}
		r.path = append(r.path, step{index: i})
		items[i] = r.value(t.elem, item)
		r.path = r.path[:len(r.path)-1]
	}
	return items
}

func (r *reading) object(n *named, value any) {
	object, ok := value.(map[string]any)
	if !ok {
		r.invalid(value, fmt.Sprintf("Expected type %q to be an object.", n.name))
		return
	}
	known := 0
	for i := range n.fields {
		f := &n.fields[i]
		sent, present := object[f.name]
		r.path = append(r.path, step{name: f.name})
		switch {
		case present:
			known++
			if read := r.value(f.typ, sent); !same(read, sent) {
				object[f.name] = read
			}
		case f.required:
			r.missing(value, f)
		}
		r.path = r.path[:len(r.path)-1]
	}
	if known == len(object) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if n.field(key) == nil {
			r.invalid(value, unknownField(key, n))
		}
	}
}

// same reports whether a value did not change: a text, a boolean, or an object, which
// changes in place. Others are stored again.
func same(read, sent any) bool {
	switch read := read.(type) {
	case string, bool:
		return read == sent
	case map[string]any:
		return true
	default:
		return false
	}
}

// missing reports a field that the object lacks. The path ends with the field, the
// message with the object, as graphql-js has it.
func (r *reading) missing(object any, f *field) {
	at := len(r.path) - 1
	r.report(r.message(r.path[:at], object, missingField(f)))
}

func (r *reading) invalid(value any, fault string) {
	r.report(r.message(r.path, value, fault))
}

func (r *reading) message(at []step, value any, fault string) string {
	place := ""
	if len(at) > 0 {
		place = fmt.Sprintf(" at %q", r.root.name+pathText(at))
	}
	return fmt.Sprintf(`Variable "$%s" got invalid value %s%s; %s`, r.root.name, valueText(value, fault), place, fault)
}

// valueText shows a value as its fault does, which may hide it.
func valueText(value any, fault string) string {
	if shown := show(value); strings.HasSuffix(fault, shown) || !isNumber(value) {
		return shown
	}
	return "..."
}

func isNumber(value any) bool {
	_, ok := numberOf(value)
	return ok
}

// maxFaults bounds the number of errors of one request, as graphql-js does.
const maxFaults = 50

func (r *reading) report(message string) {
	switch {
	case len(r.errs) > maxFaults:
		return
	case len(r.errs) == maxFaults:
		message = "Too many errors processing variables, error limit reached. Execution aborted."
	}
	r.errs = append(r.errs, newError(r.root.position, message, "variable", r.root.name+pathText(r.path)))
}

func newError(at *ast.Position, message, kind, path string) *gqlerror.Error {
	err := &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code, kind: path}}
	if at != nil {
		err.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return err
}

// pathText writes the steps after a name: .filter.ids[1].
func pathText(path []step) string {
	text := ""
	for _, s := range path {
		if s.name == "" {
			text += "[" + strconv.Itoa(s.index) + "]"
		} else {
			text += "." + s.name
		}
	}
	return text
}
